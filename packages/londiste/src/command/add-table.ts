import { timeoutSeconds } from "@skytools/pgq/cascade";
import type { Command, Job } from "@skytools/skytools";
import { dryRunSwitch, SkytoolsError, UsageError } from "@skytools/skytools";
import type { TableHandler } from "../handler/handler.ts";
import { HandlerRegistry } from "../handler/handler-registry.ts";
import { formatHandlerSpec, type HandlerSpec } from "../handler/handler-spec.ts";
import {
  getTableList,
  localAddTable,
  localShowMissing,
  type NewTable,
  tableAttributes,
  tableExists,
} from "../londiste-api.ts";
import { fullName } from "../names.ts";
import { canEnterReplicaRole, withoutReplicaRole } from "../replication-session.ts";
import { warnOfActingParts } from "../table/acting-parts.ts";
import { anyCopyNode } from "../table/copy-node.ts";
import { createLocalTable } from "../table/create-local-table.ts";
import { warnOfGenerated } from "../table/generated-columns.ts";
import { handlerRegistration } from "../table/handler-registration.ts";
import { learnSiblingTables, syncTableList } from "../table/known-objects.ts";
import { lettingOthersThrough, setLockTimeout } from "../table/letting-others-through.ts";
import { type LocalNode, openLocalNode, openProvider } from "../table/local-node.ts";
import { OwnedSequences } from "../table/owned-sequences.ts";
import { refuseBadCondition } from "../table/refuse-bad-condition.ts";
import { refuseOtherRelations } from "../table/relation-kind.ts";
import { selectNames } from "../table/select-names.ts";
import { available, chooseSource, type SourceWish, type TableSource } from "../table/table-source.ts";
import { handlerSwitches, triggerArguments, triggerSwitches } from "../table/trigger-switches.ts";
import { waitForSync, waitSyncSwitches } from "./wait-sync.ts";

/** Source: spec/londiste.md section 6 */
export const addTableCommand: Command = {
  name: "add-table",
  args: "[TABLE...]",
  summary: "replicate tables: on the root into the queue, elsewhere out of it",
  pidfile: "admin",
  switches: [
    { flags: "--all", doc: "all tables that are not replicated here yet" },
    { flags: "--dest-table <name>", doc: "apply to another local table" },
    { flags: "--create", doc: "create tables that are not here: columns and primary key" },
    { flags: "--create-full", doc: "the same with everything but foreign keys" },
    { flags: "--expect-sync", doc: "the rows are there already, do not copy" },
    { flags: "--skip-truncate", doc: "copy without emptying the local table" },
    ...triggerSwitches,
    { flags: "--no-sequences", doc: "leave sequences of serial and identity columns alone" },
    { flags: "--copy-node <node>", doc: "copy from this node instead of the provider" },
    { flags: "--find-copy-node", doc: "copy from the nearest node upstream that has the table" },
    { flags: "--max-parallel-copy <n>", doc: "copies at once into one table that several queues feed" },
    { flags: "--merge-all", doc: "out of all queues that have the table" },
    { flags: "--no-merge", doc: "out of this queue only" },
    { flags: "--skip-non-existing", doc: "leave out tables that do not exist, with a warning" },
    { flags: "--force", doc: "accept names that are not in the list of candidates" },
    ...waitSyncSwitches,
    dryRunSwitch,
  ],
  run: addTables,
};

/** What the switches ask for, the same for all tables. */
interface Wish {
  readonly spec: HandlerSpec | undefined;
  readonly registry: HandlerRegistry;
  readonly destination: string | undefined;
  readonly tokens: readonly string[];
  /** as stored: see spec/londiste.md 5.2 */
  readonly attributes: {
    readonly handler?: string;
    readonly copy_node?: string;
    readonly skip_truncate?: string;
    readonly max_parallel_copy?: string;
  };
  readonly creates: "nothing" | "basics" | "everything";
}

async function addTables(job: Job): Promise<void> {
  const longestWait = timeoutSeconds(job);
  const wish = await readWish(job);
  const at = await openLocalNode(job);
  const provider = await openProvider(at);
  const named = job.args.filter((name) => !/[*?]/.test(name)).map(fullName);
  let isUnguarded = false;
  if (needTables(wish, named)) {
    isUnguarded = await goesWithoutReplicaRole(at);
    await refuseOtherRelations(at.local, wish.destination === undefined ? named : [wish.destination]);
  }
  const learn = async () => {
    const onProvider = await syncTableList(at, provider);
    if (job.flag("mergeAll")) await learnSiblingTables(at);
    return onProvider;
  };
  const onProvider = await learn();
  const names = await selectTables(at, wish);
  const from = await chooseSource(at, sourceWish(wish), names, { db: provider, tables: onProvider });
  const there = from === undefined ? onProvider : await getTableList(from.db, at.queueName);
  const isCopied = at.node.nodeType !== "root" && !job.flag("expectSync") && needTables(wish, names);
  const wanted = isCopied ? available(at, names, there) : names;
  const db = from?.db ?? provider;
  const source = { db, tables: there, sequences: new OwnedSequences(at, db), learn };
  for (const name of wanted) {
    // adding takes foreign keys off until the copy is done
    if (isUnguarded) await warnOfActingParts(at.local, job.log, destinationOf(wish, name));
    await addTable(at, wish, name, source);
  }
  if (job.isDryRun) await at.local.rollback();
  else await at.local.commit();
  if (job.flag("waitSync") && !job.isDryRun) await waitForSync(at, longestWait);
}

async function readWish(job: Job): Promise<Wish> {
  const destination = job.option("destTable");
  if (destination !== undefined && job.args.length !== 1) {
    throw new UsageError("--dest-table can be given only for single table", { exitCode: 2 });
  }
  const copies = job.option("maxParallelCopy");
  if (copies !== undefined && !/^[1-9]\d*$/.test(copies)) {
    throw new UsageError(`--max-parallel-copy: "${copies}" is not a number above 0`, { exitCode: 2 });
  }
  if (job.flag("mergeAll") && job.flag("noMerge")) {
    throw new UsageError("Cannot use merge-all and no-merge together", { exitCode: 2 });
  }
  const spec = handlerSwitches(job);
  const copyNode = job.option("copyNode") ?? (job.flag("findCopyNode") ? anyCopyNode : undefined);
  return {
    spec,
    registry: await HandlerRegistry.load(job.config),
    destination: destination === undefined ? undefined : fullName(destination),
    tokens: [
      ...triggerArguments(job),
      ...(job.flag("expectSync") ? ["expect_sync"] : []),
      ...(job.flag("mergeAll") ? ["merge_all"] : []),
      ...(job.flag("noMerge") ? ["no_merge"] : []),
    ],
    attributes: {
      ...(spec === undefined ? {} : { handler: formatHandlerSpec(spec) }),
      ...(copyNode === undefined ? {} : { copy_node: copyNode }),
      ...(job.flag("skipTruncate") && !job.flag("expectSync") ? { skip_truncate: "1" } : {}),
      ...(copies === undefined ? {} : { max_parallel_copy: copies }),
    },
    creates: job.flag("createFull") ? "everything" : job.flag("create") ? "basics" : "nothing",
  };
}

function handlerFor(wish: Wish, name: string): TableHandler {
  if (wish.spec === undefined) return {};
  return wish.registry.create(wish.spec, { name, destination: wish.destination ?? name });
}

function needTables(wish: Wish, names: readonly string[]): boolean {
  return names.every((name) => handlerFor(wish, name).needsTable !== false);
}

function sourceWish(wish: Wish): SourceWish {
  return {
    registry: wish.registry,
    copyNode: wish.attributes.copy_node,
    createsTables: wish.creates !== "nothing",
    copiesRows: (name) => handlerFor(wish, name).copiesRows !== false,
  };
}

async function selectTables(at: LocalNode, wish: Wish): Promise<string[]> {
  const { job, local, queueName, node } = at;
  const missing = await localShowMissing(local, queueName);
  const tables = await getTableList(local, queueName);
  const isRoot = node.nodeType === "root";
  return selectNames(job.log, {
    given: job.args,
    isAll: job.flag("all"),
    candidates: missing.filter((object) => object.kind !== "S").map((object) => object.name),
    done: tables.filter((table) => table.isLocal).map((table) => table.name),
    isForced:
      job.flag("force") ||
      (isRoot && (wish.destination !== undefined || !needTables(wish, job.args.map(fullName)))),
    isLenient: job.flag("skipNonExisting"),
    why: isRoot ? `no such table in ${local.label}` : `not a table of the set "${queueName}"`,
    hint: isRoot
      ? "Create the table first, and look at its schema: names without one are of schema public."
      : "Add it on the root first; see missing for what this node can take.",
  });
}

/** Where tables come from. */
interface Source extends TableSource {
  readonly sequences: OwnedSequences;
  /** what the first table is added with, within its transaction */
  readonly learn: () => Promise<unknown>;
}

/** The trigger needs a lock that waits for the table's writers, and new writers wait behind it: it must not wait long. */
async function addTable(at: LocalNode, wish: Wish, name: string, source: Source): Promise<void> {
  const seconds = at.job.config.getFloat("lock_timeout");
  const longestMs = seconds === 0 ? Number.POSITIVE_INFINITY : seconds * 1000;
  if (at.job.isDryRun) {
    // one transaction, with what was learned before
    await setLockTimeout(at.local, longestMs);
    return addOnce(at, wish, name, source);
  }
  let hasBegun = false;
  await lettingOthersThrough(at.local, longestMs, async () => {
    if (hasBegun) {
      source.sequences.forget();
      await source.learn();
    }
    hasBegun = true;
    await addOnce(at, wish, name, source);
  });
}

/** In the open transaction, to its end. */
async function addOnce(at: LocalNode, wish: Wish, name: string, source: Source): Promise<void> {
  const { job, local, queueName, node } = at;
  const handler = handlerFor(wish, name);
  const table = newTable(wish, name, handler);
  const destination = table.destination ?? name;
  if (handler.destination !== undefined) {
    job.log.info(`Overwriting .dest_table from plugin: tbl=${name}  dst=${destination}`);
  }
  if (wish.creates !== "nothing" && node.nodeType !== "root")
    await create(at, wish, name, destination, source);
  else if (job.flag("skipNonExisting") && !(await tableExists(local, destination))) {
    job.log.warn(`Table ${destination} does not exist on local node, skipping`);
    return;
  }
  await refuseBadCondition(local, handler, destination);
  if (node.nodeType !== "root") await warnOfGenerated(at, name, destination, source);
  const registration = await handlerRegistration(local, handler, wish.tokens, destination);
  const triggerArguments = [...wish.tokens, ...registration];
  const call = { log: job.log, commit: false, quiet: job.isDryRun };
  await localAddTable(local, call, queueName, { ...table, triggerArguments });
  if (!job.flag("noSequences") && handler.needsTable !== false) {
    await source.sequences.add(destination);
  }
  if (job.isDryRun) {
    job.stdout.write(`add table ${name} to ${node.nodeType} "${node.nodeName}"\n`);
    return;
  }
  await local.commit();
}

/** Tables get a trigger that refuses local changes, the copy's too when it cannot say that it is none.
 * @returns true where it cannot, and the tables are wanted without such a trigger
 * @throws UsageError where it cannot, and they are wanted with it */
async function goesWithoutReplicaRole({ job, local, node }: LocalNode): Promise<boolean> {
  if (node.nodeType === "root" || (await canEnterReplicaRole(local))) return false;
  const { message, hint } = withoutReplicaRole(local);
  if (!job.flag("force") && !job.flag("noTriggers")) {
    throw new UsageError(message, {
      hint: `${hint} Without: add-table --no-triggers, and nothing refuses local changes of the table.`,
    });
  }
  job.log.warn(message, { hint });
  return true;
}

function destinationOf(wish: Wish, name: string): string {
  return handlerFor(wish, name).destination ?? wish.destination ?? name;
}

function newTable(wish: Wish, name: string, handler: TableHandler): Omit<NewTable, "triggerArguments"> {
  return {
    name,
    destination: handler.destination ?? wish.destination ?? null,
    attributes: tableAttributes(wish.attributes),
  };
}

async function create(
  { job, local }: LocalNode,
  wish: Wish,
  name: string,
  destination: string,
  source: Source,
): Promise<void> {
  const sourceTable = source.tables.find((table) => table.name === name)?.destination ?? name;
  try {
    const statements = await createLocalTable({
      local,
      source: source.db,
      log: job.log,
      sourceTable,
      name: destination,
      isFull: wish.creates === "everything",
    });
    if (job.isDryRun) for (const statement of statements) job.stdout.write(`${statement};\n`);
  } catch (error) {
    if (!(error instanceof SkytoolsError)) throw error;
    throw new SkytoolsError(error.code, `cannot create table ${destination}: ${error.message}`, {
      cause: error,
      hint: "Types, functions and schemas that it uses must be here.",
    });
  }
}
