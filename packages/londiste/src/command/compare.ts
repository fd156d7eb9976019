import type { Command, Config, Job } from "@skytools/skytools";
import { mergeConnectString, printJson, UsageError } from "@skytools/skytools";
import { type CompareResult, compareSettings, compareTable } from "../compare/compare-table.ts";
import type { TableChecksum } from "../compare/table-checksum.ts";
import { getTableList } from "../londiste-api.ts";
import { fullName } from "../names.ts";
import { formatSettings } from "../replication-session.ts";
import { type LocalNode, openLocalNode } from "../table/local-node.ts";

/** Exit codes are one byte: 256 differing tables must not look like success. */
const maxExitCode = 255;

/** Source: spec/londiste.md 13 */
export const compareCommand: Command = {
  name: "compare",
  args: "[TABLE...]",
  summary: "compare tables with the provider; the exit code is the number of tables that differ",
  pidfile: "admin",
  switches: [
    { flags: "--count-only", doc: "compare only the number of rows" },
    { flags: "--force", doc: "wait for a lagging worker without limit" },
  ],
  run: compare,
};

async function compare(job: Job): Promise<number> {
  const at = await openLocalNode(job);
  if (at.node.nodeType === "root")
    throw new UsageError(`node "${at.node.nodeName}" is the root: compare on another node`);
  const { source, target } = await openSnapshots(at);
  const results: CompareResult[] = [];
  for (const table of await tablesToCompare(at)) {
    const result = await compareTable({
      job,
      queueName: at.queueName,
      workerName: at.workerName,
      source,
      target,
      table,
      isCountOnly: job.flag("countOnly"),
      patienceMs: job.flag("force") ? Number.POSITIVE_INFINITY : job.config.getFloat("lock_timeout") * 1000,
    });
    report(job, result);
    results.push(result);
  }
  if (job.json) printJson(job.stdout, results);
  refuseEmptyVerdict(job, results);
  return Math.min(
    maxExitCode,
    results.filter((result) => result.kind === "compared" && !result.isSame).length,
  );
}

/** Exit code 0 is taken for "identical": a table that was asked for by name, or all of them, must not be left out silently. */
function refuseEmptyVerdict(job: Job, results: readonly CompareResult[]): void {
  const skipped = results.filter((result) => result.kind === "skipped").length;
  if (skipped === 0 || (job.args.length === 0 && skipped < results.length)) return;
  throw new UsageError(`${skipped} of ${results.length} table(s) could not be compared`, {
    hint: "See the names with tables, and wait for copies with wait-sync.",
  });
}

async function openSnapshots(at: LocalNode) {
  const { config, databases } = at.job;
  const onConnect = async (db: Awaited<ReturnType<typeof databases.get>>) => {
    await db.execute(`${formatSettings}; ${compareSettings}`);
    await db.commit();
  };
  const isolation = "repeatable read" as const;
  const connstr = mergeConnectString(at.node.providerLocation, config.getOr("remote_extra_connstr", ""));
  return {
    target: await databases.get("compare_target", { connstr: config.get("db"), isolation, onConnect }),
    source: await databases.get("compare_source", { connstr, isolation, onConnect }),
  };
}

async function tablesToCompare({ job, local, queueName }: LocalNode): Promise<string[]> {
  if (job.args.length > 0) return job.args.map(fullName);
  const tables = await getTableList(local, queueName);
  await local.commit();
  return tables.filter((table) => table.isLocal).map((table) => table.name);
}

function report(job: Job, result: CompareResult): void {
  const { log, stdout } = job;
  if (result.kind === "skipped") {
    log.warn(result.reason);
    return;
  }
  const source = formatResult(job.config, result.source);
  const target = formatResult(job.config, result.target);
  log.info(`srcdb: ${source}`);
  log.info(`dstdb: ${target}`);
  if (!result.isSame) log.warn(`${result.destination}: Results do not match!`);
  if (job.json) return;
  const verdict = result.isSame ? `identical: ${source}` : `DIFFERENT: source ${source}; here ${target}`;
  stdout.write(`${result.table} ${verdict}\n`);
}

/** The configured format has printf-style fields with column names. */
function formatResult(config: Config, result: TableChecksum): string {
  const format = config.getOr("compare_fmt", "");
  const standard = result.checksum === null ? "%(cnt)d rows" : "%(cnt)d rows, checksum=%(chksum)s";
  const values: Readonly<Record<string, string>> = {
    cnt: String(result.rows),
    chksum: result.checksum ?? "",
  };
  return (format === "" ? standard : format).replace(
    /%\((\w+)\)[ds]/g,
    (field: string, name: string) => values[name] ?? field,
  );
}
