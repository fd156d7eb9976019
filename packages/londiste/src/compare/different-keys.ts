import type { Database } from "@skytools/skytools";
import { quoteIdent } from "@skytools/skytools";
import type { AlignedSides } from "./aligned-sides.ts";
import { type RowSelection, rowHash, selectRows, utf8Bytes } from "./table-checksum.ts";

/** Into so many ranges of the key's hash a table is cut. */
const rangeCount = 1024;

/** A row that is not the same on both sides. */
export interface DifferentKey {
  /** text of the key's columns */
  readonly key: readonly (string | null)[];
  /** missing: only the source has it; extra: only the target has it */
  readonly kind: "missing" | "changed" | "extra";
}

/** Finds the rows that differ: first by sums over ranges of the key's hash, which the servers make in one pass each, then by the
 * hashes of rows within the ranges that differ. Those come sorted, so memory does not depend on how many there are.
 * Within the open snapshots. */
export async function* differentKeys(
  source: Database,
  target: Database,
  sides: AlignedSides,
): AsyncGenerator<DifferentKey, void> {
  const [there, here] = await Promise.all([rangeSums(source, sides.source), rangeSums(target, sides.target)]);
  const ranges = [...new Set([...there.keys(), ...here.keys()])].filter(
    (range) => there.get(range) !== here.get(range),
  );
  if (ranges.length > 0) yield* merge(source, target, sides, ranges);
}

const rangeSql = (selection: RowSelection) => `(${rowHash(selection.key, selection)} & ${rangeCount - 1})`;

async function rangeSums(db: Database, selection: RowSelection): Promise<Map<number, string>> {
  const { sql, parameters } = selectRows(selection);
  const rows = await db.query<{ range: number; sum: string }>(
    `select range::int4 as range, count(*) || ' ' || sum(hash) as sum
       from (select ${rangeSql(selection)} as range, ${rowHash(selection.columns, selection)} as hash from (${sql}) as t) as h
      group by 1`,
    parameters,
  );
  return new Map(rows.map((row) => [row.range, row.sum]));
}

async function* merge(
  source: Database,
  target: Database,
  sides: AlignedSides,
  ranges: readonly number[],
): AsyncGenerator<DifferentKey, void> {
  const there = await HashedKeys.open(source, sides.source, ranges);
  const here = await HashedKeys.open(target, sides.target, ranges);
  try {
    yield* mergeSorted(there, here);
  } finally {
    await there.close();
    await here.close();
  }
}

async function* mergeSorted(there: HashedKeys, here: HashedKeys): AsyncGenerator<DifferentKey, void> {
  let [left, right] = await Promise.all([there.next(), here.next()]);
  while (left !== undefined || right !== undefined) {
    const order = left === undefined ? 1 : right === undefined ? -1 : left.order.compare(right.order);
    if (order < 0 && left !== undefined) {
      yield { key: left.key, kind: "missing" };
      left = await there.next();
    } else if (order > 0 && right !== undefined) {
      yield { key: right.key, kind: "extra" };
      right = await here.next();
    } else if (left !== undefined && right !== undefined) {
      if (left.hash !== right.hash) yield { key: left.key, kind: "changed" };
      [left, right] = await Promise.all([there.next(), here.next()]);
    }
  }
}

interface HashedKey {
  readonly key: readonly (string | null)[];
  /** the key's text, by whose bytes in UTF-8 both sides are sorted */
  readonly order: Buffer;
  readonly hash: string;
}

const fetchRows = 2000;

/** Keys and hashes of rows, sorted by the text of the key, a few at a time. */
class HashedKeys {
  readonly #db: Database;
  #rows: HashedKey[] = [];
  #at = 0;
  #isAtEnd = false;

  private constructor(db: Database) {
    this.#db = db;
  }

  static async open(db: Database, selection: RowSelection, ranges: readonly number[]): Promise<HashedKeys> {
    const { sql, parameters } = selectRows(selection);
    const key = selection.key.map((column) => `t.${quoteIdent(column.name)}::text`).join(", ");
    const list = `$${parameters.length + 1}::int4[]`;
    await db.query(
      `declare londiste_keys no scroll cursor for
       select key, hash
         from (select to_json(array[${key}])::text collate "C" as key, ${rowHash(selection.columns, selection)}::text as hash
                 from (${sql}) as t where ${rangeSql(selection)} = any (${list})) as h
        order by ${selection.isPortable === true ? utf8Bytes("key") : "key"}`,
      [...parameters, [...ranges]],
    );
    return new HashedKeys(db);
  }

  async next(): Promise<HashedKey | undefined> {
    if (this.#at === this.#rows.length && !this.#isAtEnd) {
      const rows = await this.#db.query<{ key: string; hash: string }>(
        `fetch ${fetchRows} from londiste_keys`,
      );
      this.#isAtEnd = rows.length < fetchRows;
      this.#at = 0;
      this.#rows = rows.map((row) => ({
        key: JSON.parse(row.key) as (string | null)[],
        order: Buffer.from(row.key),
        hash: row.hash,
      }));
    }
    const row = this.#rows[this.#at];
    if (row !== undefined) this.#at += 1;
    return row;
  }

  async close(): Promise<void> {
    if (this.#db.inTransaction) await this.#db.execute("close londiste_keys");
  }
}
