import { waitFor } from "@skytools/testbed";
import { tables } from "./data-set.ts";
import { queueName } from "./nodes.ts";
import type { Session } from "./session.ts";

/** How far the initial copy of one table is. */
export interface TableCopy {
  readonly table: string;
  /** merge_state as stored; "waiting" for none. */
  readonly state: string;
  /** Copied so far, and what is expected; undefined before the copy has begun. */
  readonly rows: number | undefined;
  readonly bytes: number | undefined;
  readonly totalRows: number | undefined;
  readonly totalBytes: number | undefined;
}

/** Source: londiste.get_table_list(text), londiste.get_copy_progress(text). */
async function copyProgress(subscriber: Session): Promise<TableCopy[]> {
  const rows = await subscriber.run<{
    table_name: string;
    merge_state: string | null;
    rows_copied: string | null;
    bytes_copied: string | null;
    total_rows: string | null;
    total_bytes: string | null;
  }>(
    `select t.table_name, t.merge_state, p.rows_copied, p.bytes_copied, p.total_rows, p.total_bytes
     from londiste.get_table_list($1) t
     left join londiste.get_copy_progress($1) p using (table_name)
     where t.local`,
    [queueName],
  );
  return rows.map((row) => ({
    table: row.table_name,
    state: row.merge_state ?? "waiting",
    rows: optionalNumber(row.rows_copied),
    bytes: optionalNumber(row.bytes_copied),
    totalRows: optionalNumber(row.total_rows),
    totalBytes: optionalNumber(row.total_bytes),
  }));
}

function optionalNumber(text: string | null): number | undefined {
  return text === null ? undefined : Number(text);
}

export interface CopyTimes {
  /** Seconds from the first sight of in-copy to the end of it, by table. */
  readonly copySeconds: ReadonlyMap<string, number>;
  /** Seconds until every table was ok. */
  readonly totalSeconds: number;
}

/** Watches until all tables of the data set are ok.
 * @param onPoll sees every answer, a few times a second
 * @throws Error after five minutes, with the states seen last */
export async function watchCopies(
  subscriber: Session,
  onPoll: (progress: readonly TableCopy[]) => Promise<void>,
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
      await onPoll(last);
      return last.length === tables.length && last.every((table) => table.state === "ok");
    },
    {
      timeoutMs: 300_000,
      intervalMs: 100,
      isErrorFinal: true,
      onTimeout: () => last.map((table) => `${table.table}: ${table.state}`).join("\n"),
    },
  );
  return { copySeconds, totalSeconds: (performance.now() - started) / 1000 };
}
