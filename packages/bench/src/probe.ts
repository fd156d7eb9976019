import { setTimeout as sleep } from "node:timers/promises";
import type { Database } from "@skytools/skytools";

/** The table of probes, on both sides. */
export const probeTableSql = "create table probe (id int primary key, v text)";

/** What a stream of single rows shows of a replication. */
export interface ProbedReplication {
  /** milliseconds from each commit to the first look that sees the row */
  readonly latencies: readonly number[];
  /** longest time in which no new row came, milliseconds; at most the writer's pace when nothing pauses */
  readonly longestPauseMs: number;
}

/** Commits a row each 20 ms as long as asked to, and looks for each on the other side. */
export async function probeReplication(
  writer: Database,
  reader: Database,
  goesOn: () => boolean,
): Promise<ProbedReplication> {
  const { max: first } = await writer.queryOne<{ max: number }>(
    "select coalesce(max(id), 0) as max from probe",
  );
  const committedAt: number[] = [];
  const latencies: number[] = [];
  let isWriting = true;
  let lastSeenAt = performance.now();
  let longestPauseMs = 0;
  const write = async (): Promise<void> => {
    while (goesOn()) {
      await writer.query("insert into probe values ($1, 'row')", [first + committedAt.length + 1]);
      committedAt.push(performance.now());
      // Not in step with the ticker.
      await sleep(15 + Math.random() * 10);
    }
    isWriting = false;
  };
  const read = async (): Promise<void> => {
    while (isWriting || latencies.length < committedAt.length) {
      const { max } = await reader.queryOne<{ max: number }>("select coalesce(max(id), 0) as max from probe");
      const now = performance.now();
      if (max - first > latencies.length) {
        if (latencies.length > 0) longestPauseMs = Math.max(longestPauseMs, now - lastSeenAt);
        lastSeenAt = now;
      }
      while (latencies.length < max - first) latencies.push(now - (committedAt[latencies.length] ?? now));
      await sleep(2);
    }
  };
  await Promise.all([write(), read()]);
  return { latencies, longestPauseMs };
}

/** For probeReplication(): so many seconds. */
export function forSeconds(seconds: number): () => boolean {
  const end = performance.now() + seconds * 1000;
  return () => performance.now() < end;
}
