import type { Command, Job } from "@skytools/skytools";
import { dryRunSwitch, printJson, UsageError, whyNotBetweenParentheses } from "@skytools/skytools";
import type { AlignInput } from "../compare/aligned-sides.ts";
import {
  compareSettings,
  comparison,
  namesToCompare,
  openSource,
  refuseRoot,
} from "../compare/open-sides.ts";
import { AppliedFixes } from "../repair/applied-fixes.ts";
import { FixFile } from "../repair/fix-file.ts";
import { type RepairResult, repairTable } from "../repair/repair-table.ts";
import { WrittenFixes } from "../repair/written-fixes.ts";
import { openTargetSession } from "../replication-session.ts";
import { type LocalNode, openLocalNode } from "../table/local-node.ts";

const maxExitCode = 255;

/** Source: spec/londiste.md 13.4 */
export const repairCommand: Command = {
  name: "repair",
  args: "[TABLE...]",
  summary: "find rows that differ from the provider's: write fix.TABLE.sql, or fix them with --apply",
  // It may take hours, in which other commands of the node must not have to wait.
  pidfile: "own",
  pidfileSuffix: () => ".repair",
  onInterrupt: "finish",
  switches: [
    { flags: "--apply", doc: "fix the rows, beside the running worker" },
    { flags: "--repair-where <condition>", doc: "only rows that meet it, on both sides" },
    { flags: "--sort-bufsize <size>", doc: "memory for sorting keys on each server, such as 64MB" },
    { flags: "--force", doc: "wait for a lagging worker without limit" },
    dryRunSwitch,
  ],
  run: repair,
};

async function repair(job: Job): Promise<number> {
  const bufferSize = job.option("sortBufsize");
  if (bufferSize !== undefined && !/^\d+(?:kB|MB|GB|%)?$/.test(bufferSize)) {
    throw new UsageError(`--sort-bufsize: "${bufferSize}" is not a size such as 64MB`, { exitCode: 2 });
  }
  const condition = job.option("repairWhere");
  const flaw = condition === undefined ? undefined : whyNotBetweenParentheses(condition);
  if (flaw !== undefined) {
    throw new UsageError(`--repair-where ${flaw}: it is one SQL expression`, { exitCode: 2 });
  }
  const at = await openLocalNode(job);
  refuseRoot(at, "repair");
  const base = await comparison(at);
  const results: RepairResult[] = [];
  for (const table of await namesToCompare(at)) {
    const source = await openSource(at, base.registry, table);
    if (bufferSize !== undefined && !bufferSize.endsWith("%")) {
      for (const db of [source, base.target]) {
        await db.query("select set_config('work_mem', $1, false)", [bufferSize]);
        await db.commit();
      }
    }
    const result = await repairOne(at, { ...base, source, table, condition });
    report(job, result);
    results.push(result);
  }
  if (job.json) printJson(job.stdout, results);
  const skipped = results.filter((result) => result.kind === "skipped").length;
  if (skipped > 0 && (job.args.length > 0 || skipped === results.length)) {
    throw new UsageError(`${skipped} of ${results.length} table(s) could not be checked`, {
      hint: "See the names with tables, and wait for copies with wait-sync.",
    });
  }
  return Math.min(maxExitCode, results.filter(isDifferent).length);
}

/** After repair: a table that was fixed is the same. */
function isDifferent(result: RepairResult): boolean {
  if (result.kind === "skipped") return false;
  if (result.isApplied) return result.unsettled > 0;
  return result.inserts + result.updates + result.deletes > 0;
}

async function repairOne(at: LocalNode, input: AlignInput): Promise<RepairResult> {
  const { job, queueName, workerName } = at;
  if (job.isDryRun) {
    const statements: string[] = [];
    const take = (line: string) => (job.json ? statements.push(line.trimEnd()) : job.stdout.write(line));
    const result = await repairTable(input, new WrittenFixes(input.source, input.target, take));
    return job.json && result.kind === "checked" ? { ...result, statements } : result;
  }
  if (!job.flag("apply")) return repairIntoFile(input);
  const source = await openSource(at, input.registry, input.table, "repair");
  const target = await job.databases.get("repair_target", {
    connstr: job.config.get("db"),
    onConnect: async (db) => {
      await openTargetSession(db, job.log);
      await db.execute(compareSettings);
      await db.commit();
    },
  });
  const { patienceMs } = input;
  return repairTable(input, new AppliedFixes({ job, queueName, workerName, source, target, patienceMs }));
}

/** A file of an earlier run is replaced, or removed when nothing differs any more. */
async function repairIntoFile(input: AlignInput): Promise<RepairResult> {
  const file = new FixFile();
  try {
    const result = await repairTable(
      input,
      new WrittenFixes(input.source, input.target, (line, destination) => file.write(line, destination)),
    );
    if (result.kind === "checked") {
      const path = file.publish(result.destination);
      if (path !== undefined) {
        const hint = "Look at them, then let repair --apply do it.";
        input.job.log.info(`fixes are in ${path}`, { hint });
      }
    }
    return result;
  } finally {
    file.discard();
  }
}

function report(job: Job, result: RepairResult): void {
  if (result.kind === "skipped") {
    job.log.warn(result.reason);
    return;
  }
  if (job.json || job.isDryRun) return;
  const { table, inserts, updates, deletes, unsettled, isApplied } = result;
  const found = `${inserts} inserts, ${updates} updates, ${deletes} deletes`;
  const verb = isApplied ? "repaired:" : "differs by";
  const rest = unsettled > 0 ? `; ${unsettled} rows not settled: run it again` : "";
  const isSame = inserts + updates + deletes + unsettled === 0;
  job.stdout.write(isSame ? `${table} identical\n` : `${table} ${verb} ${found}${rest}\n`);
}
