import { crashPoint, type Database, urlEncodeRow } from "@skytools/skytools";
import { installedVersion, installModules, type ModuleName } from "@skytools/sql";
import { getConsumerInfo } from "../../pgq-api.ts";
import type { CascadeAdmin } from "../cascade-admin.ts";
import { nodeOf } from "../node-connection.ts";
import type { NodeInfo, NodeLocation, NodeType, ReachedNode } from "../node-info.ts";
import {
  createNode,
  getNodeInfo,
  getQueueLocations,
  getSubscriberInfo,
  registerLocation,
  registerSubscriber,
  setNodeAttributes,
  unregisterSubscriber,
} from "../pgq-node-api.ts";
import type { PlanStep } from "./plan.ts";

/** A node in the making: everything has been looked up and checked. */
export interface NewNodePlan {
  readonly admin: CascadeAdmin;
  readonly local: Database;
  readonly type: NodeType;
  readonly name: string;
  readonly location: string;
  readonly combinedQueue: string | null;
  readonly attributes: Readonly<Record<string, string>>;
  /** undefined for a root */
  readonly upstream: Upstream | undefined;
}

/** Upstream of a node in the making, looked at before anything changes. */
export interface Upstream {
  readonly root: ReachedNode;
  readonly provider: ReachedNode;
  readonly members: readonly NodeLocation[];
}

/** The steps of create-*, in the order of the original.
 * Source: spec/cascade.md 9.3 */
export function createSteps(plan: NewNodePlan): PlanStep[] {
  const { upstream } = plan;
  return [
    installMissing(plan),
    ...(upstream === undefined ? [] : [registerMember(plan, upstream), registerReader(plan, upstream)]),
    createHere(plan),
  ];
}

function installMissing({ admin, local, name }: NewNodePlan): PlanStep {
  const missing = async () => {
    const absent: ModuleName[] = [];
    for (const module of admin.modules) {
      if ((await installedVersion(local, module)) === undefined) absent.push(module);
    }
    await local.commit();
    return absent;
  };
  return {
    name: "install",
    node: name,
    action: `install the SQL modules that are missing of ${admin.modules.join(", ")}`,
    doneWhen: "all are installed",
    undoneBy: null,
    isDone: async () => (await missing()).length === 0,
    run: async () => {
      const absent = await missing();
      for (const module of absent) admin.job.log.info(`Installing ${module}`);
      await installModules(local, absent, admin.job.log);
      await local.commit();
    },
  };
}

/** The root tells everybody. */
function registerMember({ admin, name, location }: NewNodePlan, { root }: Upstream): PlanStep {
  const { queueName, job } = admin;
  return {
    name: "register-member",
    node: root.node.nodeName,
    action: `add "${name}" to the members, for everybody`,
    doneWhen: "it is a member at that location",
    undoneBy: null,
    isDone: () => isMember(root.db, queueName, name, location),
    run: () =>
      registerLocation(
        root.db,
        { log: job.log, prefix: root.node.nodeName },
        queueName,
        name,
        location,
        false,
      ),
  };
}

function registerReader({ admin, name, location }: NewNodePlan, { provider }: Upstream): PlanStep {
  const { queueName, workerName, job } = admin;
  const { db } = provider;
  const { nodeName } = provider.node;
  const call = { log: job.log, prefix: nodeName, commit: false };
  return {
    name: "subscribe",
    node: nodeName,
    action: `register "${name}" with worker "${workerName}" at the global watermark`,
    doneWhen: "it is registered with that worker",
    undoneBy: null,
    isDone: async () => (await readerPosition(provider, admin, name)) !== undefined,
    run: () =>
      db.transaction(async () => {
        if (!(await isMember(db, queueName, name, location, false))) {
          await registerLocation(db, call, queueName, name, location, false);
        }
        const subscribers = await getSubscriberInfo(db, queueName);
        if (subscribers.some((subscriber) => subscriber.nodeName === name)) {
          await unregisterSubscriber(db, call, queueName, name);
        }
        await registerSubscriber(db, call, queueName, name, workerName, null);
      }),
  };
}

/** What happens in the local database is one transaction. */
function createHere(plan: NewNodePlan): PlanStep {
  const { admin, local, type, name, location, upstream, attributes } = plan;
  const { queueName, workerName, hooks } = admin;
  const call = { log: admin.job.log, commit: false };
  const quiet = { ...call, quiet: true };
  return {
    name: "create",
    node: name,
    action: `create the ${type} node${type === "root" ? "" : " with all members that the root knows"}`,
    doneWhen: "the node is there",
    undoneBy: null,
    isDone: async () => (await nodeOf(local, queueName)) !== undefined,
    run: async () => {
      admin.job.log.info("Initializing node");
      const position =
        upstream === undefined ? null : (await readerPosition(upstream.provider, admin, name))!;
      await local.transaction(async () => {
        await registerLocation(local, quiet, queueName, name, location, false);
        for (const member of upstream?.members ?? []) {
          if (member.nodeName === name) continue;
          await registerLocation(local, quiet, queueName, member.nodeName, member.location, member.isDead);
        }
        await createNode(local, call, {
          queueName,
          nodeType: type,
          nodeName: name,
          workerName,
          providerName: upstream?.provider.node.nodeName ?? null,
          globalWatermark: position,
          combinedQueue: plan.combinedQueue,
        });
        if (Object.keys(attributes).length > 0) {
          await setNodeAttributes(local, quiet, queueName, urlEncodeRow(attributes));
        }
        const node: NodeInfo = (await getNodeInfo(local, queueName))!;
        await hooks?.nodeCreated?.(admin, { type, node, local, provider: upstream?.provider.db });
        crashPoint("create.before-local-commit");
      });
    },
  };
}

async function isMember(
  db: Database,
  queueName: string,
  nodeName: string,
  location: string,
  endsTransaction = true,
): Promise<boolean> {
  const known = await getQueueLocations(db, queueName);
  if (endsTransaction) await db.commit();
  return known.some((each) => each.nodeName === nodeName && each.location === location && !each.isDead);
}

/** Where the provider has the node's worker; leaves no transaction open. */
async function readerPosition(
  { db }: ReachedNode,
  { queueName, workerName }: CascadeAdmin,
  nodeName: string,
): Promise<bigint | undefined> {
  const subscribers = await getSubscriberInfo(db, queueName);
  const [position] = await getConsumerInfo(db, queueName, workerName);
  await db.commit();
  const isRegistered = subscribers.some(
    (subscriber) => subscriber.nodeName === nodeName && subscriber.workerName === workerName,
  );
  return isRegistered ? (position?.lastTick ?? undefined) : undefined;
}
