import type { Command, Config, Job } from "@skytools/skytools";
import { printJson, UsageError } from "@skytools/skytools";
import { type CompareResult, compareTable, type SideResult } from "../compare/compare-table.ts";
import type { DifferentKey } from "../compare/different-keys.ts";
import { comparison, namesToCompare, openSource, refuseRoot } from "../compare/open-sides.ts";
import type { TableChecksum } from "../compare/table-checksum.ts";
import { openLocalNode } from "../table/local-node.ts";

/** Exit codes are one byte: 256 differing tables must not look like success. */
const maxExitCode = 255;

/** Source: spec/londiste.md 13 */
export const compareCommand: Command = {
  name: "compare",
  args: "[TABLE...]",
  summary: "compare tables with the provider; the exit code is the number of tables that differ",
  pidfile: "none",
  switches: [
    { flags: "--count-only", doc: "compare only the number of rows" },
    { flags: "--row-limit <n>", doc: "compare only the first n rows by key" },
    { flags: "--show-keys <n>", doc: "find that many of the rows that differ", default: "0" },
    { flags: "--force", doc: "wait for a lagging worker without limit" },
  ],
  run: compare,
};

async function compare(job: Job): Promise<number> {
  const rowLimit = count(job, "rowLimit", "--row-limit");
  const shownKeys = count(job, "showKeys", "--show-keys") ?? 0;
  const at = await openLocalNode(job);
  refuseRoot(at, "compare");
  const base = await comparison(at);
  const customSql = job.config.getOr("compare_sql", "");
  const results: CompareResult[] = [];
  for (const table of await namesToCompare(at)) {
    const source = await openSource(at, base.registry, table);
    const result = await compareTable(
      { ...base, source, table },
      {
        isCountOnly: job.flag("countOnly"),
        rowLimit,
        shownKeys,
        customSql: customSql === "" || job.flag("countOnly") ? undefined : customSql,
      },
    );
    report(job, result);
    results.push(result);
  }
  if (job.json) printJson(job.stdout, results);
  refuseEmptyVerdict(job, results);
  const differing = results.filter((result) => result.kind === "compared" && !result.isSame);
  return Math.min(maxExitCode, differing.length);
}

function count(job: Job, name: string, flag: string): number | undefined {
  const text = job.option(name);
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`${flag}: "${text}" is not a number`, { exitCode: 2 });
  return Number(text);
}

/** Exit code 0 is taken for "identical": a table that was asked for by name, or all of them, must not be left out silently. */
function refuseEmptyVerdict(job: Job, results: readonly CompareResult[]): void {
  const skipped = results.filter((result) => result.kind === "skipped").length;
  if (skipped === 0 || (job.args.length === 0 && skipped < results.length)) return;
  throw new UsageError(`${skipped} of ${results.length} table(s) could not be compared`, {
    hint: "See the names with tables, and wait for copies with wait-sync.",
  });
}

function report(job: Job, result: CompareResult): void {
  const { log, stdout } = job;
  if (result.kind === "skipped") {
    log.warn(result.reason);
    return;
  }
  const source = formatResult(job.config, result.source, result.custom?.source);
  const target = formatResult(job.config, result.target, result.custom?.target);
  log.info(`srcdb: ${source}`);
  log.info(`dstdb: ${target}`);
  if (!result.isSame) log.warn(`${result.destination}: Results do not match!`);
  if (job.json) return;
  const verdict = result.isSame ? `identical: ${source}` : `DIFFERENT: source ${source}; here ${target}`;
  stdout.write(`${result.table} ${verdict}\n`);
  for (const key of result.differentKeys) stdout.write(`  ${keyText(key)}\n`);
}

function keyText({ kind, key }: DifferentKey): string {
  return `${kind}: (${key.map((value) => value ?? "NULL").join(", ")})`;
}

/** The configured format has printf-style fields with column names. */
function formatResult(config: Config, result: TableChecksum, custom: SideResult | undefined): string {
  const format = config.getOr("compare_fmt", "");
  const standard = result.checksum === null ? "%(cnt)d rows" : "%(cnt)d rows, checksum=%(chksum)s";
  const values: SideResult = custom ?? {
    cnt: String(result.rows),
    chksum: result.checksum,
  };
  return (format === "" ? standard : format).replace(
    /%\((\w+)\)[ds]/g,
    (field: string, name: string) => values[name] ?? field,
  );
}
