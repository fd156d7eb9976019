import { timeoutSeconds, troubleOnTheWay, WaitReport } from "@skytools/pgq/cascade";
import type { Command, Switch } from "@skytools/skytools";
import { GrowingPause, SkytoolsError, UsageError } from "@skytools/skytools";
import { getCopyProgress, getTableList, type ReplicatedTable } from "../londiste-api.ts";
import { fullName } from "../names.ts";
import { londisteAdmin } from "../table/cascade-admin.ts";
import { type LocalNode, openLocalNode } from "../table/local-node.ts";

/** Source: spec/londiste.md section 2 */
export const waitSyncCommand: Command = {
  name: "wait-sync",
  args: "[TABLE...]",
  summary: "wait until all local tables, or some of them, are in sync; --timeout limits the wait",
  pidfile: "none",
  switches: [
    {
      flags: "--timeout <seconds>",
      doc: "give up after this time, with exit code 1; 0: no limit",
      default: "0",
    },
  ],
  run: async (job) => {
    const seconds = timeoutSeconds(job);
    await waitForSync(await openLocalNode(job), seconds, job.args.map(fullName));
  },
};

/** For commands that start copies and can wait for them. */
export const waitSyncSwitches: readonly Switch[] = [
  { flags: "--wait-sync", doc: "afterwards wait until all tables are in sync" },
  {
    flags: "--timeout <seconds>",
    doc: "with --wait-sync: give up waiting after this time, with exit code 1; copies go on. 0: no limit",
    default: "0",
  },
];

/** Tells, once each, why copies fail that are waited for: they are tried again, but some of it only an operator can change. */
async function tellFailures({ job, local, queueName }: LocalNode, told: Set<string>): Promise<void> {
  for (const { table, phase, error } of await getCopyProgress(local, queueName)) {
    if (phase !== "failed" || error === null) continue;
    // The worker adds how the process ended to what the copy has said itself.
    const text = `${table}: copy fails: ${error.replace(/^exit code \d+: /, "")}`;
    if (told.has(text)) continue;
    told.add(text);
    job.log.warn(text, { hint: "It is tried again; the worker's log tells more." });
  }
}

/** Waits until every local table is ok, telling about each.
 * @param seconds 0: no limit
 * @param names set names of those that are waited for; empty: all
 * @throws SkytoolsError WAIT_TIMEOUT; UsageError for a table that is not replicated here */
export async function waitForSync(
  at: LocalNode,
  seconds: number,
  names: readonly string[] = [],
): Promise<void> {
  const { job, local, queueName } = at;
  const deadline = seconds === 0 ? Number.POSITIVE_INFINITY : performance.now() + seconds * 1000;
  const finished = new Set<string>();
  const told = new Set<string>();
  const pause = new GrowingPause(job);
  const report = new WaitReport(job);
  let isFirst = true;
  for (;;) {
    const tables = chosen(await getTableList(local, queueName), names);
    await local.commit();
    const waiting = tables.filter((table) => table.state.kind !== "ok");
    if (isFirst && waiting.length > 0) {
      job.log.info("Waiting until all tables are in sync");
      job.log.info(`${waiting.length}/${tables.length} table(s) to copy`);
    }
    for (const table of tables) {
      if (table.state.kind !== "ok" || finished.has(table.name)) continue;
      finished.add(table.name);
      if (!isFirst) job.log.info(`${table.name}: finished (${finished.size}/${tables.length})`);
    }
    isFirst = false;
    if (waiting.length === 0) break;
    await tellFailures(at, told);
    await local.commit();
    const isOver = performance.now() >= deadline && !job.isStopping;
    if (isOver || report.take()) {
      for (const trouble of await troubleOnTheWay(londisteAdmin(job))) job.log.warn(trouble);
    }
    if (isOver || job.isStopping) {
      const states = waiting.map((table) => `${table.name}: ${table.storedState ?? "waiting"}`);
      throw new SkytoolsError("WAIT_TIMEOUT", `tables not in sync: ${states.join(", ")}`, {
        hint: "Look at `tables` and at the worker's log.",
      });
    }
    await pause.take();
  }
  job.log.info("All done");
}

/** @throws UsageError for a name that is not there: nobody would ever bring it in sync */
function chosen(tables: readonly ReplicatedTable[], names: readonly string[]): readonly ReplicatedTable[] {
  const local = tables.filter((table) => table.isLocal);
  const absent = names.filter((name) => !local.some((table) => table.name === name));
  if (absent.length > 0) {
    throw new UsageError(`Table not subscribed: ${absent.join(", ")}`, { hint: "See tables." });
  }
  return names.length === 0 ? local : local.filter((table) => names.includes(table.name));
}
