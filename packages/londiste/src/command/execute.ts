import { readFileSync } from "node:fs";
import { basename } from "node:path";
import type { Command, Job } from "@skytools/skytools";
import { type Database, DatabaseError, dryRunSwitch, printJson, UsageError } from "@skytools/skytools";
import {
  runScript,
  type Script,
  type ScriptOutcome,
  scriptError,
  scriptStatements,
} from "../execute/run-script.ts";
import { readScriptAttributes } from "../execute/script-attributes.ts";
import { decideScript, substituteNames } from "../execute/script-decision.ts";
import { isExecuted } from "../londiste-api.ts";
import { type LocalNode, openLocalNode } from "../table/local-node.ts";

const retryMs = 1000;

/** Source: spec/londiste.md section 11 */
export const executeCommand: Command = {
  name: "execute",
  args: "FILE...",
  summary: "run SQL files on the root and, in order with its data, on all other nodes",
  pidfile: "admin",
  onInterrupt: "finish",
  switches: [
    {
      flags: "--attempts <n>",
      doc: "how often to try when a lock is not to be had within lock_timeout",
      default: "5",
    },
    dryRunSwitch,
  ],
  run: execute,
};

async function execute(job: Job): Promise<void> {
  const attempts = Number(job.option("attempts"));
  if (!Number.isInteger(attempts) || attempts < 1) {
    throw new UsageError(`--attempts: "${job.option("attempts")}" is not a number above 0`, { exitCode: 2 });
  }
  const scripts = readScripts(job.args);
  const at = await openLocalNode(job);
  if (at.node.nodeType !== "root") {
    throw new UsageError(`Node is not root node: ${at.queueName}`, {
      hint: `Scripts start on the root and go with the queue; this is ${at.node.nodeType} "${at.node.nodeName}".`,
    });
  }
  if (job.isDryRun) {
    await describe(at, scripts);
    return;
  }
  const outcomes = await runAll(at, scripts, attempts);
  if (job.json) printJson(job.stdout, outcomes);
}

/** All of them before a database is touched.
 * @throws UsageError, SkytoolsError SCRIPT */
function readScripts(files: readonly string[]): Script[] {
  const names = new Set<string>();
  return files.map((file) => {
    const name = basename(file);
    if (names.has(name)) {
      throw new UsageError(
        `two files are called "${name}": by its name a node knows that it has a script already`,
      );
    }
    names.add(name);
    const sql = readScript(file);
    try {
      const attributes = readScriptAttributes(sql);
      scriptStatements(sql);
      return { name, sql, attributes };
    } catch (error) {
      throw scriptError(file, error);
    }
  });
}

function readScript(file: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(file));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`cannot read script "${file}": ${reason}`, { cause });
  }
}

interface Outcome {
  readonly file: string;
  readonly outcome: ScriptOutcome;
}

/** In one transaction; from the start again when somebody holds a lock that the scripts need. */
async function runAll(at: LocalNode, scripts: readonly Script[], attempts: number): Promise<Outcome[]> {
  const { job, local } = at;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const outcomes: Outcome[] = [];
      for (const script of scripts) {
        const outcome = await runScript({
          db: local,
          log: job.log,
          queueName: at.queueName,
          script,
          isRoot: true,
          lockTimeoutSeconds: job.config.getFloat("lock_timeout"),
        });
        outcomes.push({ file: script.name, outcome });
      }
      await local.commit();
      return outcomes;
    } catch (error) {
      if (!local.isBroken) await local.rollback();
      if (attempt >= attempts || job.isStopping || !isLockFailure(error)) throw error;
      job.log.warn(`${error.message}: attempt ${attempt} of ${attempts}, trying again`);
      await job.sleep(retryMs * attempt);
    }
  }
}

/** lock_not_available, deadlock_detected */
function isLockFailure(error: unknown): error is DatabaseError {
  return error instanceof DatabaseError && (error.sqlState === "55P03" || error.sqlState === "40P01");
}

/** --dry-run: what would run, with the names of this node. */
async function describe(at: LocalNode, scripts: readonly Script[]): Promise<void> {
  const { stdout } = at.job;
  for (const script of scripts) {
    if (await isExecuted(at.local, script.name)) {
      stdout.write(`${script.name}: already applied\n`);
      continue;
    }
    const decision = await decide(at.local, at.queueName, script);
    if (!decision.isNeeded) {
      stdout.write(`${script.name}: does not need to run on this node; goes into the queue\n`);
      continue;
    }
    stdout.write(`${script.name}: runs here and goes into the queue\n`);
    for (const statement of scriptStatements(substituteNames(script.sql, decision.substitutes))) {
      stdout.write(`${statement.text}\n`);
    }
  }
  await at.local.rollback();
}

async function decide(local: Database, queueName: string, script: Script) {
  try {
    return await decideScript(local, queueName, script.attributes);
  } catch (error) {
    throw scriptError(script.name, error);
  }
}
