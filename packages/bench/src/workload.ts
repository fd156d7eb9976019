import type { Database } from "@skytools/skytools";

/** How many rows of each kind one load changes; `existing` rows are there before the first load. */
export interface LoadSize {
  readonly inserts: number;
  readonly updates: number;
  readonly deletes: number;
  readonly existing: number;
}

/** 200,000 inserts, 100,000 updates and 50,000 deletes, times the scale. */
export function loadSize(scale: number): LoadSize {
  const thousands = Math.max(1, Math.round(200 * scale));
  return {
    inserts: thousands * 1000,
    updates: thousands * 500,
    deletes: thousands * 250,
    existing: thousands * 1000,
  };
}

/** The statements that make the tables which loads change: rows as pgbench's accounts have them, and a marker row whose
 * change is the last one of every load. */
export function tablesSql(size: LoadSize | undefined): string {
  return `create table accounts (aid int primary key, bid int, abalance int, filler char(84));
    create table marker (id int primary key, n int);
    ${
      size === undefined
        ? ""
        : `insert into accounts select i, i % 100, 0, 'filler' from generate_series(1, ${size.existing}) i;
           insert into marker values (1, 0);`
    }`;
}

/** Runs load number `number` (1, 2, ...): new rows after all earlier ones, updates and deletes in the block before.
 * @param transactions "single" for one row a transaction */
export async function runLoad(
  database: Database,
  size: LoadSize,
  number: number,
  transactions: number | "single",
): Promise<void> {
  const base = size.existing + (number - 1) * size.inserts;
  const before = base - size.inserts;
  if (transactions === "single") {
    await database.execute(`do $$ begin
      for i in 1..${size.inserts} loop
        insert into accounts values (${base} + i, i % 100, 0, 'filler'); commit;
        if i <= ${size.updates} then
          update accounts set abalance = abalance + i where aid = ${before} + i; commit;
        end if;
        if i <= ${size.deletes} then
          delete from accounts where aid = ${before} + ${size.updates} + i; commit;
        end if;
      end loop; end $$`);
  } else {
    const part = (rows: number, n: number): string =>
      `between ${Math.round((rows * n) / transactions) + 1} and ${Math.round((rows * (n + 1)) / transactions)}`;
    for (let n = 0; n < transactions; n++) {
      await database.execute(`
        insert into accounts select ${base} + i, i % 100, 0, 'filler' from generate_series(1, ${size.inserts}) i
          where i ${part(size.inserts, n)};
        update accounts set abalance = abalance + 1 where aid - ${before} ${part(size.updates, n)}
          and aid > ${before} and aid <= ${base};
        delete from accounts where aid - ${before + size.updates} ${part(size.deletes, n)}
          and aid > ${before} and aid <= ${base}`);
    }
  }
  await database.execute(`update marker set n = ${number} where id = 1`);
}

/** A table of rows of some 220 bytes each, without a key. */
export const rowsTableSql = `create table bench_rows (id int not null, kind int, name text, filler text, changed timestamptz,
  amount numeric)`;

export async function fillRows(database: Database, rows: number): Promise<void> {
  await database.execute(`insert into bench_rows
    select i, i % 1000, md5(i::text), repeat(md5((i + 1)::text), 4), now(), i * 1.25 from generate_series(1, ${rows}) i`);
  await database.execute("vacuum analyze bench_rows");
}
