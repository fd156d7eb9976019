import type { Database } from "@skytools/skytools";
import { quoteFqIdent, quoteIdent, SkytoolsError } from "@skytools/skytools";
import { type AlignedSides, type AlignInput, type Skipped, withAlignedSides } from "./aligned-sides.ts";
import { type DifferentKey, differentKeys } from "./different-keys.ts";
import { type TableChecksum, tableChecksum } from "./table-checksum.ts";

export interface CompareOptions {
  readonly isCountOnly: boolean;
  /** only the first rows by key */
  readonly rowLimit?: number | undefined;
  /** query with _TABLE_ and _COLS_ in place of the checksum */
  readonly customSql?: string | undefined;
  /** how many of the keys that differ are looked for */
  readonly shownKeys: number;
}

/** What a query for one side gives, by column name. */
export interface SideResult {
  readonly cnt?: string | null;
  readonly chksum?: string | null;
  readonly [column: string]: string | null | undefined;
}

export type CompareResult =
  | {
      readonly kind: "compared";
      readonly table: string;
      readonly destination: string;
      readonly isSame: boolean;
      readonly source: TableChecksum;
      readonly target: TableChecksum;
      /** of a custom query */
      readonly custom?: { readonly source: SideResult; readonly target: SideResult };
      readonly differentKeys: readonly DifferentKey[];
    }
  | Skipped;

/** Compares a table on two nodes at the same point of the queue. Source: spec/londiste.md 13 */
export async function compareTable(input: AlignInput, options: CompareOptions): Promise<CompareResult> {
  const isExact = options.customSql !== undefined;
  return withAlignedSides({ ...input, isExact }, async (sides): Promise<CompareResult> => {
    input.job.log.info(`Counting ${sides.destination}`);
    if (options.customSql !== undefined) return compareCustom(input, sides, options.customSql);
    const { rowLimit: limit, isCountOnly } = options;
    if (limit !== undefined && sides.target.key.length === 0) {
      throw new SkytoolsError("COMPARE", `table "${sides.table}": --row-limit needs a primary key`);
    }
    const [source, target] = await Promise.all([
      tableChecksum(input.source, { ...sides.source, limit }, isCountOnly),
      tableChecksum(input.target, { ...sides.target, limit }, isCountOnly),
    ]);
    const isSame = source.rows === target.rows && source.checksum === target.checksum;
    const keys = isSame || options.shownKeys === 0 ? [] : await firstKeys(input, sides, options.shownKeys);
    return {
      kind: "compared",
      table: sides.table,
      destination: sides.destination,
      isSame,
      source,
      target,
      differentKeys: keys,
    };
  });
}

async function firstKeys(input: AlignInput, sides: AlignedSides, count: number): Promise<DifferentKey[]> {
  if (sides.target.key.length === 0) return [];
  const keys: DifferentKey[] = [];
  for await (const key of differentKeys(input.source, input.target, sides)) {
    keys.push(key);
    if (keys.length >= count) break;
  }
  return keys;
}

async function compareCustom(input: AlignInput, sides: AlignedSides, sql: string): Promise<CompareResult> {
  const [source, target] = await Promise.all([
    runCustom(input.source, sql, sides.sourceTable, sides.source),
    runCustom(input.target, sql, sides.destination, sides.target),
  ]);
  return {
    kind: "compared",
    table: sides.table,
    destination: sides.destination,
    isSame: JSON.stringify(source) === JSON.stringify(target),
    source: checksumOf(source),
    target: checksumOf(target),
    custom: { source, target },
    differentKeys: [],
  };
}

async function runCustom(
  db: Database,
  sql: string,
  table: string,
  { columns, condition }: AlignedSides["source"],
): Promise<SideResult> {
  const list = `(${columns.map((column) => quoteIdent(column.name)).join(",")})`;
  const query = sql.replaceAll("_TABLE_", () => quoteFqIdent(table)).replaceAll("_COLS_", () => list);
  const where = condition === undefined ? "" : ` where ${condition}`;
  const row = await db.queryOne<Record<string, string | number | bigint | boolean | null>>(
    `${query}${where}`,
  );
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, value === null ? null : String(value)]),
  );
}

function checksumOf(result: SideResult): TableChecksum {
  const rows = result.cnt ?? "0";
  return { rows: /^\d+$/.test(rows) ? BigInt(rows) : 0n, checksum: result.chksum ?? null };
}
