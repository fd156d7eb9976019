import { readdir } from "node:fs/promises";
import type { Database } from "@skytools/skytools";
import type { Cluster } from "@skytools/testbed";
import type { Sample } from "./figures.ts";
import { statusKb } from "./process-figures.ts";

/** By this name our own connections are left out. */
export const observerName = "soak";

const ofServer = `
  select (select array_agg(pid) from pg_stat_activity
           where backend_type in ('client backend', 'walsender') and application_name <> '${observerName}') as pids,
         (select count(*)::int4 from pg_locks where locktype = 'advisory') as locks`;
const ofDatabase = `
  select count(*) filter (where relpersistence = 't')::int4 as temporary,
         count(*) filter (where relpersistence <> 't' and relkind <> 't' and relnamespace <> 'pg_toast'::regnamespace)::int4 as relations
    from pg_class`;

/** What a server has now.
 * @param databases connections to those of its databases that are looked at */
export async function serverFigures(cluster: Cluster, databases: readonly Database[]): Promise<Sample> {
  const { pids, locks } = await databases[0]!.queryOne<{ pids: number[] | null; locks: number }>(ofServer);
  const counts = { temporary: 0, relations: 0 };
  for (const database of databases) {
    const row = await database.queryOne<typeof counts>(ofDatabase);
    counts.temporary += row.temporary;
    counts.relations += row.relations;
  }
  const memory = (pids ?? []).map(ownMemoryMb).filter((mb) => !Number.isNaN(mb));
  return {
    connections: pids?.length ?? 0,
    locks,
    ...counts,
    ...(memory.length === 0 ? {} : { backend: memory.reduce((sum, mb) => sum + mb, 0) / memory.length }),
    stored: await storedFiles(cluster),
  };
}

/** Without what it shares with others; NaN when it has ended. */
function ownMemoryMb(pid: number): number {
  try {
    return statusKb(pid, "RssAnon") / 1024;
  } catch {
    return Number.NaN;
  }
}

/** Files of the data directory, temporary ones too. WAL comes and goes with checkpoints. */
async function storedFiles(cluster: Cluster): Promise<number> {
  const names = await readdir(cluster.dataDirectory, { recursive: true });
  return names.filter((name) => !name.startsWith("pg_wal/")).length;
}
