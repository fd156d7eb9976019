import type { Command, Job } from "@skytools/skytools";
import { dryRunSwitch, UsageError } from "@skytools/skytools";
import {
  getTableList,
  localAddTable,
  localShowMissing,
  type NewTable,
  type ReplicatedTable,
  tableAttributes,
  tableExists,
} from "../londiste-api.ts";
import { fullName } from "../names.ts";
import { syncTableList } from "../table/known-objects.ts";
import { type LocalNode, openLocalNode, openProvider } from "../table/local-node.ts";
import { selectNames } from "../table/select-names.ts";
import { waitForSync } from "./wait-sync.ts";

/** Source: spec/londiste.md section 6 */
export const addTableCommand: Command = {
  name: "add-table",
  args: "[TABLE...]",
  summary: "replicate tables: on the root into the queue, elsewhere out of it",
  pidfile: "admin",
  switches: [
    { flags: "--all", doc: "all tables that are not replicated here yet" },
    { flags: "--dest-table <name>", doc: "apply to another local table" },
    { flags: "--expect-sync", doc: "the rows are there already, do not copy" },
    { flags: "--skip-truncate", doc: "copy without emptying the local table" },
    { flags: "--no-triggers", doc: "do not put triggers on the table" },
    {
      flags: "--trigger-flags <flags>",
      doc: "letters: A after, B before; I U D operations; L J Q format of logutriga, jsontriga, sqltriga; S skip",
    },
    { flags: "--trigger-arg <arg>", doc: "argument of the trigger function", repeatable: true },
    { flags: "--skip-non-existing", doc: "leave out tables that do not exist, with a warning" },
    { flags: "--force", doc: "accept names that are not in the list of candidates" },
    { flags: "--wait-sync", doc: "afterwards wait until all tables are in sync" },
    dryRunSwitch,
  ],
  run: addTables,
};

async function addTables(job: Job): Promise<void> {
  if (job.option("destTable") !== undefined && job.args.length !== 1) {
    throw new UsageError("--dest-table can be given only for single table");
  }
  const at = await openLocalNode(job);
  const provider = await openProvider(at);
  const onProvider = await syncTableList(at, provider);
  const names = await selectTables(at);
  if (at.node.nodeType !== "root" && !job.flag("expectSync")) refuseUnavailable(at, names, onProvider);
  for (const name of names) await addTable(at, name);
  if (job.isDryRun) await at.local.rollback();
  else await at.local.commit();
  if (job.flag("waitSync") && !job.isDryRun) await waitForSync(at);
}

async function selectTables(at: LocalNode): Promise<string[]> {
  const { job, local, queueName, node } = at;
  const missing = await localShowMissing(local, queueName);
  const tables = await getTableList(local, queueName);
  const isRoot = node.nodeType === "root";
  return selectNames(job.log, {
    given: job.args,
    isAll: job.flag("all"),
    candidates: missing.filter((object) => object.kind !== "S").map((object) => object.name),
    done: tables.filter((table) => table.isLocal).map((table) => table.name),
    isForced: job.flag("force") || (isRoot && job.option("destTable") !== undefined),
    isLenient: job.flag("skipNonExisting"),
    why: isRoot ? `no such table in ${local.label}` : `not a table of the set "${queueName}"`,
  });
}

function refuseUnavailable(
  at: LocalNode,
  names: readonly string[],
  onProvider: readonly ReplicatedTable[],
): void {
  const local = new Set(onProvider.filter((table) => table.isLocal).map((table) => table.name));
  const absent = names.filter((name) => !local.has(name));
  if (absent.length === 0) return;
  for (const name of absent) {
    at.job.log.error(`Table ${name} does not exist on provider, need to switch to different provider`);
  }
  throw new UsageError("Problems, canceling operation");
}

async function addTable(at: LocalNode, name: string): Promise<void> {
  const { job, local, queueName } = at;
  const table = newTable(job, name);
  const destination = table.destination ?? name;
  if (job.flag("skipNonExisting") && !(await tableExists(local, destination))) {
    job.log.warn(`Table ${destination} does not exist on local node, skipping`);
    return;
  }
  await setLockTimeout(at);
  await localAddTable(local, { log: job.log, commit: false }, queueName, table);
  if (job.isDryRun) {
    job.stdout.write(`add table ${name} to ${at.node.nodeType} "${at.node.nodeName}"\n`);
    return;
  }
  await local.commit();
}

/** The trigger needs a lock that waits for the table's writers, and new writers wait behind it: it must not wait long. */
async function setLockTimeout({ job, local }: LocalNode): Promise<void> {
  const seconds = job.config.getFloat("lock_timeout");
  await local.query("select set_config('lock_timeout', $1, true)", [String(Math.round(seconds * 1000))]);
}

function newTable(job: Job, name: string): NewTable {
  const destination = job.option("destTable");
  const flags = job.option("triggerFlags");
  if (flags !== undefined && !/^[ABIUDQLJS]+$/i.test(flags)) {
    throw new UsageError(`--trigger-flags: "${flags}" has letters other than A B I U D Q L J S`);
  }
  return {
    name,
    destination: destination === undefined ? null : fullName(destination),
    attributes: tableAttributes(
      job.flag("skipTruncate") && !job.flag("expectSync") ? { skip_truncate: "1" } : {},
    ),
    triggerArguments: [
      ...(flags === undefined ? [] : [`tgflags=${flags}`]),
      ...(job.flag("noTriggers") ? ["no_triggers"] : []),
      ...(job.flag("expectSync") ? ["expect_sync"] : []),
      ...job.optionList("triggerArg"),
    ],
  };
}
