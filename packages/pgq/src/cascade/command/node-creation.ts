import {
  type Database,
  maskConnectString,
  parseConnectPairs,
  SkytoolsError,
  UsageError,
} from "@skytools/skytools";
import { installedVersion } from "@skytools/sql";
import type { CascadeAdmin } from "../cascade-admin.ts";
import { checkSameDatabase, locationWarnings } from "../location-check.ts";
import { findRoot, membersOf, nodeOf, openLocal, openLocation } from "../node-connection.ts";
import type { NodeInfo, NodeType } from "../node-info.ts";
import { createSteps, type Upstream } from "../plan/create-steps.ts";
import type { Plan } from "../plan/plan.ts";
import { printPlan } from "../plan/plan-print.ts";
import { runPlan } from "../plan/plan-run.ts";

/** What create-* are told. */
export interface NodeCreation {
  readonly type: NodeType;
  /** default: node_name of the configuration */
  readonly name?: string | undefined;
  /** default: public_node_location of the configuration */
  readonly location?: string | undefined;
  /** connect string of the provider; default: initial_provider_location of the configuration */
  readonly provider?: string | undefined;
  /** look whether the public location reaches this database; default true */
  readonly isLocationChecked?: boolean | undefined;
  /** on a leaf: queue of this database into which its events go (--merge) */
  readonly combinedQueue?: string | undefined;
  /** on a branch: nodes that keep their event tables in step (--sync-watermark), stored as attribute */
  readonly syncWatermark?: string | undefined;
  /** stored with the node */
  readonly attributes?: Readonly<Record<string, string>> | undefined;
}

interface Names {
  readonly name: string;
  readonly location: string;
}

/** Creates the local node. Everything is checked before anything is changed, and a run that was interrupted is completed by the
 * next: what happens in the local database is one transaction, and the registrations upstream are recognised.
 * @returns the node, and whether this call has created it; undefined with --dry-run, which prints the steps
 * Source: spec/cascade.md 9.3 */
export async function createLocalNode(
  admin: CascadeAdmin,
  creation: NodeCreation,
): Promise<{ node: NodeInfo; isNew: boolean } | undefined> {
  const { job } = admin;
  const { log } = job;
  const names = namesOf(admin, creation);
  checkTypeSwitches(creation);
  const local = await openLocal(admin);
  const present = await nodeOf(local, admin.queueName);
  if (present !== undefined) return { node: alreadyThere(admin, present, creation, names), isNew: false };

  for (const warning of locationWarnings(names.location)) log.warn(warning);
  if (creation.isLocationChecked !== false) {
    await checkSameDatabase(local, await openLocation(admin, names.location));
  }
  const upstream = creation.type === "root" ? undefined : await lookUpstream(admin, creation, names);
  if (creation.combinedQueue !== undefined) await checkCombinedQueue(local, creation.combinedQueue);
  await admin.hooks?.checkCreate?.(admin, creation.type, local);
  const plan = planOf(admin, creation, names, local, upstream);
  if (job.isDryRun) {
    await printPlan(job, plan);
    return undefined;
  }
  await tellInstalled(admin, local);
  await runPlan(admin, plan);
  log.info("Done");
  return { node: (await nodeOf(local, admin.queueName))!, isNew: true };
}

function planOf(
  admin: CascadeAdmin,
  creation: NodeCreation,
  { name, location }: Names,
  local: Database,
  upstream: Upstream | undefined,
): Plan {
  const { type, combinedQueue = null, syncWatermark } = creation;
  const attributes = {
    ...creation.attributes,
    ...(syncWatermark === undefined ? {} : { sync_watermark: syncWatermark }),
  };
  const steps = createSteps({
    admin,
    local,
    type,
    name,
    location,
    combinedQueue,
    attributes,
    upstream,
  });
  return { title: `create-${type} ${name}`, findings: [], steps, workers: [] };
}

async function tellInstalled(admin: CascadeAdmin, local: Database): Promise<void> {
  for (const module of admin.modules) {
    const version = await installedVersion(local, module);
    if (version !== undefined) admin.job.log.info(`${module} is installed`);
  }
  await local.commit();
}

function namesOf(admin: CascadeAdmin, creation: NodeCreation): Names {
  const { config } = admin.job;
  const name = creation.name ?? config.getOr("node_name", "");
  if (name === "") {
    throw new UsageError("Node name must be given either in command line or config", {
      hint: "Give it after the command, or set node_name in the file.",
    });
  }
  const location = creation.location ?? config.getOr("public_node_location", "");
  if (location === "") {
    throw new UsageError("Node public location must be given either in command line or config", {
      hint: "Give, after the name, the connect string by which other nodes reach this one, or set public_node_location.",
    });
  }
  parseConnectPairs(location);
  return { name, location };
}

function checkTypeSwitches({ type, combinedQueue, syncWatermark }: NodeCreation): void {
  if (combinedQueue !== undefined && type !== "leaf") {
    throw new UsageError("--merge can be used only for leafs");
  }
  if (syncWatermark !== undefined && type !== "branch") {
    throw new UsageError("--sync-watermark can be used only for branch nodes");
  }
}

/** A merge-leaf feeds a queue that has a node of its own here: without one nobody would read its events. */
async function checkCombinedQueue(local: Database, queueName: string): Promise<void> {
  const combined = await nodeOf(local, queueName);
  if (combined === undefined) {
    throw new SkytoolsError("CASCADE_NODE", `combined queue "${queueName}" has no node in ${local.label}`, {
      hint: "Create its root or branch in this database first, with the configuration of that queue.",
    });
  }
  if (combined.nodeType === "leaf") {
    throw new SkytoolsError(
      "CASCADE_NODE",
      `combined queue "${queueName}" is a leaf in ${local.label}: it keeps no queue that events could go into`,
    );
  }
}

function alreadyThere(
  admin: CascadeAdmin,
  present: NodeInfo,
  creation: NodeCreation,
  names: Names,
): NodeInfo {
  if (present.nodeName !== names.name || present.nodeType !== creation.type) {
    throw new SkytoolsError(
      "CASCADE_NODE",
      `queue "${admin.queueName}" already has the ${present.nodeType} node "${present.nodeName}" in this database`,
      { hint: "A database has one node for each queue; drop-node removes it." },
    );
  }
  if (present.workerName !== admin.workerName) {
    admin.job.log.warn(
      `node "${present.nodeName}" is maintained by worker "${present.workerName}", this configuration calls itself "${admin.workerName}"`,
    );
  }
  admin.job.log.info(`Node is already initialized as ${present.nodeType}`);
  return present;
}

async function lookUpstream(admin: CascadeAdmin, creation: NodeCreation, names: Names): Promise<Upstream> {
  const location = creation.provider ?? admin.job.config.getOr("initial_provider_location", "");
  if (location === "") {
    throw new UsageError("Please specify --provider", {
      hint: "It is the connect string of the node to read from.",
    });
  }
  const db = await openLocation(admin, location);
  const node = await nodeOf(db, admin.queueName);
  if (node === undefined) {
    throw new SkytoolsError(
      "CASCADE_TOPOLOGY",
      `provider node not found: queue "${admin.queueName}" has no node in ${db.label}`,
      {
        hint: "Create the provider's node first, and check that queue_name is the same on both.",
      },
    );
  }
  if (node.nodeType === "leaf") {
    throw new SkytoolsError("CASCADE_TOPOLOGY", `Cannot subscribe to leaf node "${node.nodeName}"`, {
      hint: "A leaf keeps no queue; name a root or a branch as provider.",
    });
  }
  const root = await findRoot(admin, location);
  const members = await membersOf(root.db, admin.queueName);
  const namesake = members.find((member) => member.nodeName === names.name);
  if (namesake !== undefined && namesake.location !== names.location) {
    throw new SkytoolsError("CASCADE_NODE", `Node '${names.name}' already exists`, {
      hint:
        `It is registered at another location: ${maskConnectString(namesake.location)}. ` +
        "Choose another name, or drop that node first.",
    });
  }
  return { root, provider: { node, db, location }, members };
}
