import { timeoutSeconds } from "@skytools/pgq/cascade";
import type { Command, Job } from "@skytools/skytools";
import { dryRunSwitch, UsageError } from "@skytools/skytools";
import {
  getTableList,
  localSetTableAttributes,
  type ReplicatedTable,
  tableAttributes,
} from "../londiste-api.ts";
import { copyAnew } from "../replay/copy-anew.ts";
import { anyCopyNode, namedCopyNode } from "../table/copy-node.ts";
import { type LocalNode, openLocalNode, openProvider } from "../table/local-node.ts";
import { mergePartners } from "../table/merge-partners.ts";
import { selectNames } from "../table/select-names.ts";
import { waitForSync, waitSyncSwitches } from "./wait-sync.ts";

/** Source: spec/londiste.md section 2 */
export const resyncCommand: Command = {
  name: "resync",
  args: "[TABLE...]",
  summary: "copy tables anew",
  pidfile: "admin",
  switches: [
    { flags: "--all", doc: "all tables that are replicated here" },
    { flags: "--copy-node <node>", doc: "copy from this node instead of the provider" },
    { flags: "--find-copy-node", doc: "copy from the nearest node upstream that has the table" },
    ...waitSyncSwitches,
    dryRunSwitch,
  ],
  run: resync,
};

async function resync(job: Job): Promise<void> {
  const longestWait = timeoutSeconds(job);
  const at = await openLocalNode(job);
  const { local, queueName, node } = at;
  if (node.nodeType === "root")
    throw new UsageError(`node "${node.nodeName}" is the root, it copies from nobody`);
  const tables = await getTableList(local, queueName);
  await local.commit();
  const names = selectNames(job.log, {
    given: job.args,
    isAll: job.flag("all"),
    candidates: tables.filter((table) => table.isLocal).map((table) => table.name),
    done: [],
    why: `not replicated on node "${node.nodeName}"`,
  });
  const copyNode = await wantedCopyNode(at);
  const chosen = tables.filter((table) => names.includes(table.name));
  if (copyNode === undefined) await refuseUnavailable(at, chosen);
  for (const table of chosen) await resyncTable(at, table, copyNode);
  if (job.flag("waitSync") && !job.isDryRun) await waitForSync(at, longestWait);
}

async function wantedCopyNode({ job, local, queueName, node }: LocalNode): Promise<string | undefined> {
  const name = job.option("copyNode");
  if (name === undefined) return job.flag("findCopyNode") ? anyCopyNode : undefined;
  await namedCopyNode(job, local, queueName, name, node.nodeName);
  await local.commit();
  return name;
}

async function refuseUnavailable(at: LocalNode, tables: readonly ReplicatedTable[]): Promise<void> {
  const provider = await openProvider(at);
  const there = await getTableList(provider, at.queueName);
  await provider.commit();
  const absent = tables.filter(
    ({ name, attributes }) =>
      (attributes.get("copy_node") ?? "") === "" &&
      !there.some((entry) => entry.name === name && entry.isLocal),
  );
  for (const { name } of absent) {
    at.job.log.error(`Table ${name} does not exist on provider, need to switch to different provider`);
  }
  if (absent.length > 0)
    throw new UsageError("Problems, cancelling operation", {
      hint: "--find-copy-node looks for a node upstream that has them.",
    });
}

/** A local table that several tables or queues feed is copied anew out of all of them: one alone could not know which rows are its own. */
async function resyncTable(
  { job, local, queueName }: LocalNode,
  table: ReplicatedTable,
  copyNode: string | undefined,
): Promise<void> {
  const all = [{ queueName, name: table.name }, ...(await mergePartners(local, queueName, table))];
  if (job.isDryRun) {
    for (const one of all)
      job.stdout.write(`copy table ${one.name} anew${ofQueue(one.queueName, queueName)}\n`);
    await local.rollback();
    return;
  }
  await copyAnew(local, job.log, all);
  if (copyNode !== undefined) {
    const attributes = tableAttributes({ ...Object.fromEntries(table.attributes), copy_node: copyNode });
    const call = { log: job.log, quiet: true, commit: false };
    await localSetTableAttributes(local, call, queueName, table.name, attributes);
  }
  await local.commit();
}

function ofQueue(queueName: string, own: string): string {
  return queueName === own ? "" : ` out of queue ${queueName}`;
}
