import type { Command, Database, Job } from "@skytools/skytools";
import { dryRunSwitch, printJson, renderTable, SequenceStructure } from "@skytools/skytools";
import {
  getSequenceList,
  localAddSequence,
  localRemoveSequence,
  localShowMissing,
  sequenceExists,
} from "../londiste-api.ts";
import { syncSequenceList } from "../table/known-objects.ts";
import { type LocalNode, openLocalNode, openProvider } from "../table/local-node.ts";
import { selectNames } from "../table/select-names.ts";

/** Source: spec/londiste.md section 10 */
export const addSequenceCommand: Command = {
  name: "add-seq",
  args: "[SEQUENCE...]",
  summary: "let sequences follow those of the root",
  pidfile: "admin",
  switches: [
    { flags: "--all", doc: "all sequences that do not follow here yet" },
    { flags: "--create", doc: "create sequences that are not here, as they are on the provider" },
    { flags: "--create-full", doc: "the same with grants and owner" },
    { flags: "--skip-non-existing", doc: "leave out sequences that do not exist, with a warning" },
    dryRunSwitch,
  ],
  run: addSequences,
};

async function addSequences(job: Job): Promise<void> {
  const at = await openLocalNode(job);
  const { local, queueName, node } = at;
  const provider = await openProvider(at);
  await syncSequenceList(at, provider);
  const missing = await localShowMissing(local, queueName);
  const known = await getSequenceList(local, queueName);
  const isRoot = node.nodeType === "root";
  const names = selectNames(job.log, {
    given: job.args,
    isAll: job.flag("all"),
    candidates: missing.filter((object) => object.kind === "S").map((object) => object.name),
    done: known.filter((sequence) => sequence.isLocal).map((sequence) => sequence.name),
    isLenient: job.flag("skipNonExisting"),
    why: isRoot ? `no such sequence in ${local.label}` : `not a sequence of the set "${queueName}"`,
    hint: isRoot
      ? "Create the sequence first, and look at its schema: names without one are of schema public."
      : "Add it on the root first; see missing for what this node can take.",
  });
  // One by one: the worker gets to their rows in another order.
  for (const name of names) {
    await createSequence(at, provider, name);
    if (job.flag("skipNonExisting") && !(await sequenceExists(local, name))) {
      job.log.warn(`Sequence "${name}" missing on local node, skipping`);
      continue;
    }
    await localAddSequence(local, { log: job.log, commit: false, quiet: job.isDryRun }, queueName, name);
    if (job.isDryRun) job.stdout.write(`add sequence ${name} to ${node.nodeType} "${node.nodeName}"\n`);
    else await local.commit();
  }
  if (job.isDryRun) await local.rollback();
  else await local.commit();
}

async function createSequence(
  { job, local, node }: LocalNode,
  provider: Database,
  name: string,
): Promise<void> {
  if (!job.flag("create") && !job.flag("createFull")) return;
  if (await sequenceExists(local, name)) {
    job.log.info(`Sequence ${name} already exist, not creating`);
    return;
  }
  if (node.nodeType === "root" || !(await sequenceExists(provider, name))) {
    job.log.warn(`Sequence "${name}" missing on provider, skipping`);
    return;
  }
  const structure = await SequenceStructure.load(provider, name);
  await provider.rollback();
  const statements = structure.createSql(job.flag("createFull") ? {} : { parts: ["sequence"] });
  for (const statement of statements) {
    if (job.isDryRun) job.stdout.write(`${statement};\n`);
    await local.execute(statement);
  }
}

export const removeSequenceCommand: Command = {
  name: "remove-seq",
  args: "[SEQUENCE...]",
  summary: "end the following of sequences here; on the root everywhere",
  pidfile: "admin",
  switches: [{ flags: "--all", doc: "all sequences that follow here" }, dryRunSwitch],
  run: removeSequences,
};

async function removeSequences(job: Job): Promise<void> {
  const { local, queueName, node } = await openLocalNode(job);
  const known = await getSequenceList(local, queueName);
  await local.commit();
  const removable = known.filter((sequence) => sequence.isLocal || node.nodeType === "root");
  const names = selectNames(job.log, {
    given: job.args,
    isAll: job.flag("all"),
    candidates: removable.map((sequence) => sequence.name),
    done: known.filter((sequence) => !removable.includes(sequence)).map((sequence) => sequence.name),
    why: `does not follow on node "${node.nodeName}"`,
  });
  for (const name of names) {
    await localRemoveSequence(local, { log: job.log, commit: false, quiet: job.isDryRun }, queueName, name);
    if (job.isDryRun) job.stdout.write(`remove sequence ${name} from ${node.nodeType} "${node.nodeName}"\n`);
    else await local.commit();
  }
  if (job.isDryRun) await local.rollback();
}

export const sequencesCommand: Command = {
  name: "seqs",
  args: "",
  summary: "list the sequences of the set",
  pidfile: "none",
  run: listSequences,
};

async function listSequences(job: Job): Promise<void> {
  const { local, queueName, node } = await openLocalNode(job);
  const sequences = await getSequenceList(local, queueName);
  await local.commit();
  if (job.json) {
    printJson(
      job.stdout,
      sequences.map((sequence) => ({
        name: sequence.name,
        isLocal: sequence.isLocal,
        lastValue: sequence.lastValue,
      })),
    );
    return;
  }
  const rows = sequences.map((sequence) => ({
    seq_name: sequence.name,
    local: sequence.isLocal ? "True" : "False",
    last_value: sequence.lastValue,
  }));
  job.stdout.write(renderTable(rows, { title: `Sequences on node ${node.nodeName}` }));
}
