import { waitFor } from "@skytools/testbed";
import { tables } from "./data-set.ts";
import { queueName } from "./nodes.ts";
import type { Session } from "./session.ts";

/** How far one table is. */
export interface TableCopy {
  readonly table: string;
  /** merge_state as stored; "waiting" for none. */
  readonly state: string;
  /** Rows and bytes that the running COPY has brought in. */
  readonly rows: number;
  readonly bytes: number;
}

/** States of the node's tables and progress of the COPY commands that run there.
 * Source: londiste.get_table_list(text); manual, "COPY Progress Reporting". */
export async function copyProgress(subscriber: Session): Promise<TableCopy[]> {
  return (
    await subscriber.run<{ table_name: string; merge_state: string | null; rows: string; bytes: string }>(
      `select t.table_name, t.merge_state, coalesce(p.tuples_processed, 0) as rows, coalesce(p.bytes_processed, 0) as bytes
       from londiste.get_table_list($1) t
       left join (pg_stat_progress_copy p join pg_class c on c.oid = p.relid join pg_namespace n on n.oid = c.relnamespace)
         on t.table_name = n.nspname || '.' || c.relname and p.command = 'COPY FROM'
       where t.local`,
      [queueName],
    )
  ).map((row) => ({
    table: row.table_name,
    state: row.merge_state ?? "waiting",
    rows: Number(row.rows),
    bytes: Number(row.bytes),
  }));
}

/** Rows of each table by the planner's estimate, by the name that the commands take. */
export async function estimatedRows(provider: Session): Promise<ReadonlyMap<string, number>> {
  const rows = await provider.run<{ name: string; rows: string }>(
    `select 'public.' || relname as name, greatest(reltuples, 0)::bigint as rows
     from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace`,
  );
  return new Map(rows.map((row) => [row.name, Number(row.rows)]));
}

export interface CopyTimes {
  /** Seconds from the first sight of in-copy to the end of it, by table. */
  readonly copySeconds: ReadonlyMap<string, number>;
  /** Seconds until every table was ok. */
  readonly totalSeconds: number;
}

/** Watches until all tables of the data set are ok.
 * @param onPoll sees every answer, a few times a second
 * @throws Error after three minutes, with the states seen last */
export async function watchCopies(
  subscriber: Session,
  onPoll: (progress: readonly TableCopy[]) => void,
): Promise<CopyTimes> {
  const started = performance.now();
  const begun = new Map<string, number>();
  const copySeconds = new Map<string, number>();
  let last: readonly TableCopy[] = [];
  await waitFor(
    "all tables to be in sync",
    async () => {
      last = await copyProgress(subscriber);
      const now = performance.now();
      for (const { table, state } of last) {
        if (state === "in-copy" && !begun.has(table)) begun.set(table, now);
        const start = begun.get(table);
        if (state !== "in-copy" && start !== undefined && !copySeconds.has(table)) {
          copySeconds.set(table, (now - start) / 1000);
        }
      }
      onPoll(last);
      return last.length === tables.length && last.every((table) => table.state === "ok");
    },
    {
      timeoutMs: 180_000,
      intervalMs: 100,
      isErrorFinal: true,
      onTimeout: () => last.map((table) => `${table.table}: ${table.state}`).join("\n"),
    },
  );
  return { copySeconds, totalSeconds: (performance.now() - started) / 1000 };
}
