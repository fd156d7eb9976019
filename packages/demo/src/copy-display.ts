import type { TableCopy } from "./copy-watch.ts";
import type { Narrator } from "./narrator.ts";

/** Shows the copies as they go: a line for each change of state. */
export class CopyDisplay {
  readonly #narrator: Narrator;
  readonly #states = new Map<string, string>();

  constructor(narrator: Narrator) {
    this.#narrator = narrator;
  }

  update(progress: readonly TableCopy[]): void {
    for (const { table, state } of progress) {
      if (this.#states.get(table) === state) continue;
      this.#states.set(table, state);
      this.#narrator.say(`    ${table}: ${state}`);
    }
  }
}
