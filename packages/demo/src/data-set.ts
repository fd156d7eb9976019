import { awkwardTable, awkwardTableSql, createAwkwardTable, randomAwkwardChange } from "./awkward-table.ts";
import { Random } from "./random.ts";
import type { Session } from "./session.ts";

/** A bank as the TPC-B benchmark has it (and pgbench after it), with one awkward table beside it. */
export interface DataSize {
  readonly accounts: number;
  readonly tellers: number;
  readonly branches: number;
  readonly awkwardKeys: number;
}

/** Ten tellers a branch and 100,000 accounts a branch, but never so few branches that writers only wait for each other. */
export function dataSize(accounts: number): DataSize {
  const branches = Math.max(8, Math.ceil(accounts / 100_000));
  return { accounts, branches, tellers: branches * 10, awkwardKeys: 500 };
}

/** Table names as the commands take them, and as SQL spells them. */
export const tables: readonly { readonly name: string; readonly sql: string }[] = [
  { name: "public.accounts", sql: "public.accounts" },
  { name: "public.tellers", sql: "public.tellers" },
  { name: "public.branches", sql: "public.branches" },
  { name: "public.history", sql: "public.history" },
  { name: awkwardTable, sql: awkwardTableSql },
];

export const sequence = "public.history_hid_seq";

/** The same empty tables on every node: on a subscriber that is what `pg_dump --schema-only` would have brought. */
export async function createTables(db: Session): Promise<void> {
  await db.execute(`
create table branches (bid integer primary key, bbalance bigint not null, filler char(88));
create table tellers (tid integer primary key, bid integer not null, tbalance bigint not null, filler char(84));
create table accounts (aid integer primary key, bid integer not null, abalance bigint not null, filler char(84));
create table history (hid bigserial primary key, tid integer, bid integer, aid integer, delta integer,
  mtime timestamptz, filler char(22));
${createAwkwardTable()}`);
}

/** Fills the tables; history stays empty, as in TPC-B. */
export async function loadRows(db: Session, size: DataSize, seed: number): Promise<void> {
  await db.execute(`
insert into branches select n, 0, '' from generate_series(1, ${size.branches}) n;
insert into tellers select n, (n - 1) / 10 + 1, 0, '' from generate_series(1, ${size.tellers}) n;
insert into accounts select n, n % ${size.branches} + 1, 0, '' from generate_series(1, ${size.accounts}) n`);
  const random = new Random(seed);
  for (let n = 0; n < size.awkwardKeys; n += 1) {
    const { sql, parameters } = randomAwkwardChange(random, size.awkwardKeys);
    await db.run(sql, parameters);
  }
  await db.execute("vacuum analyze");
}
