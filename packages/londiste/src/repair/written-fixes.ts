import type { Database } from "@skytools/skytools";
import type { AlignedSides } from "../compare/aligned-sides.ts";
import { inOrderOfSafety } from "./fix-statement.ts";
import { countFix, type FixTarget, fixesOf, type RepairCounts } from "./repair-table.ts";
import type { KeyText } from "./row-images.ts";

/** Writes fixes down for somebody to look at. Their conditions name the old values: where the row has changed meanwhile they do
 * nothing. */
export class WrittenFixes implements FixTarget {
  readonly isApplied = false;
  readonly #source: Database;
  readonly #target: Database;
  readonly #write: (line: string, destination: string) => void;

  /** @param write takes a line with its end, and the table that it is for */
  constructor(source: Database, target: Database, write: (line: string, destination: string) => void) {
    this.#source = source;
    this.#target = target;
    this.#write = write;
  }

  async take(keys: readonly KeyText[], sides: AlignedSides, counts: RepairCounts): Promise<number> {
    for (const fix of inOrderOfSafety(await fixesOf(this.#source, this.#target, sides, keys))) {
      countFix(counts, fix);
      this.#write(`${fix.sql}\n`, sides.destination);
    }
    return 0;
  }
}
