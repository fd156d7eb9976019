import { UsageError } from "@skytools/skytools";
import type { Row } from "../handler.ts";

/** Which columns are written, and under what names. */
export class FieldMap {
  /** undefined: all */
  readonly #names: ReadonlyMap<string, string> | undefined;
  readonly #skipped: ReadonlySet<string>;

  /** @param fields `*`, or `a,b:new_b`; columns that an event lacks become NULL
   * @param skipFields columns to leave out
   * @throws UsageError */
  constructor(fields: string, skipFields: string) {
    this.#names = fields === "" || fields === "*" ? undefined : new Map(listOf(fields).map(namePair));
    this.#skipped = new Set(listOf(skipFields));
  }

  /** The name of a column here; undefined when it is left out. */
  nameOf(column: string): string | undefined {
    if (this.#skipped.has(column)) return undefined;
    return this.#names === undefined ? column : this.#names.get(column);
  }

  row(row: Row): Row {
    if (this.#names === undefined && this.#skipped.size === 0) return row;
    const columns = this.#names === undefined ? [...row.keys()] : [...this.#names.keys()];
    return new Map(
      columns.flatMap((column): [string, string | null][] => {
        const name = this.nameOf(column);
        return name === undefined ? [] : [[name, row.get(column) ?? null]];
      }),
    );
  }

  key(key: readonly string[]): string[] {
    return key.flatMap((column) => this.nameOf(column) ?? []);
  }
}

function listOf(text: string): string[] {
  return text
    .split(/[,\s]+/)
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

function namePair(text: string): [string, string] {
  const parts = text.split(":");
  const [from, to = from] = parts;
  if (from === undefined || from === "" || to === "" || parts.length > 2) {
    throw new UsageError(`Bad argument fields value ${text}`, { hint: "Columns are listed as a,b:new_b." });
  }
  return [from, to ?? from];
}
