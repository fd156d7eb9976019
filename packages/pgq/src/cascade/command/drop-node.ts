import { crashPoint, SkytoolsError, UsageError } from "@skytools/skytools";
import type { CascadeAdmin } from "../cascade-admin.ts";
import { findRoot, membersOf, openLocal, openLocation, requireLocalNode } from "../node-connection.ts";
import type { NodeLocation } from "../node-info.ts";
import { dropNode, getSubscriberInfo, unregisterLocation } from "../pgq-node-api.ts";

/** Removes a node from the set: from the root's list (which tells everybody), from every other member, and last from its own
 * database, queue included. Members that are dead, or do not answer, are passed over with a warning; a run that was
 * interrupted is completed by the next, started from a node that is still a member.
 * @throws UsageError for an unknown node, SkytoolsError CASCADE_TOPOLOGY while it has subscribers
 * Source: spec/cascade.md 9.6 */
export async function dropCascadeNode(
  admin: CascadeAdmin,
  nodeName: string,
  deadNodes: readonly string[] = [],
): Promise<void> {
  const { log } = admin.job;
  const local = await openLocal(admin);
  const here = await requireLocalNode(admin, local);
  const members = (await membersOf(local, admin.queueName)).map((member) =>
    deadNodes.includes(member.nodeName) ? { ...member, isDead: true } : member,
  );
  for (const name of deadNodes) log.info(`Assuming node '${name}' as dead`);
  const doomed = members.find((member) => member.nodeName === nodeName);
  if (doomed === undefined) throw new UsageError(`Unknown node: ${nodeName}`, { hint: "See members." });
  await refuseWithSubscribers(admin, doomed);

  const root = here.nodeType === "root" ? undefined : await tryRoot(admin, here.providerLocation);
  const rootName = here.nodeType === "root" ? here.nodeName : root?.node.nodeName;
  if (rootName !== nodeName) {
    const rootDb = here.nodeType === "root" ? local : root?.db;
    if (rootDb !== undefined) {
      await tolerate(admin, "Unregister from root failed", () =>
        unregisterLocation(rootDb, { log, prefix: rootName ?? "" }, admin.queueName, nodeName),
      );
    }
  }
  crashPoint("drop.after-root");
  const others = members.filter((member) => member.nodeName !== nodeName);
  for (const member of others) {
    await dropOn(admin, member, nodeName, `Failed to remove from '${member.nodeName}'`);
  }
  crashPoint("drop.before-own");
  await dropOn(admin, doomed, nodeName, "Local drop failure");
}

async function refuseWithSubscribers(admin: CascadeAdmin, doomed: NodeLocation): Promise<void> {
  if (doomed.isDead) return;
  await tolerate(admin, `Node '${doomed.nodeName}' failure`, async () => {
    const db = await openLocation(admin, doomed.location);
    const subscribers = await getSubscriberInfo(db, admin.queueName);
    await db.commit();
    if (subscribers.length === 0) return;
    const names = subscribers.map((subscriber) => `"${subscriber.nodeName}"`).join(", ");
    throw new SkytoolsError(
      "CASCADE_TOPOLOGY",
      `node still has subscribers: ${names} read from "${doomed.nodeName}"`,
    );
  });
}

async function tryRoot(admin: CascadeAdmin, providerLocation: string) {
  return tolerate(admin, "Unregister from root failed", () => findRoot(admin, providerLocation));
}

async function dropOn(
  admin: CascadeAdmin,
  member: NodeLocation,
  nodeName: string,
  warning: string,
): Promise<void> {
  const { log } = admin.job;
  if (member.isDead) {
    log.warn(`ignoring cmd for dead node '${member.nodeName}': drop_node`);
    return;
  }
  await tolerate(admin, warning, async () => {
    const db = await openLocation(admin, member.location);
    await dropNode(db, { log, prefix: member.nodeName }, admin.queueName, nodeName);
  });
}

/** A member that cannot be reached, or refuses, does not keep the others from being cleaned up. */
async function tolerate<T>(
  admin: CascadeAdmin,
  warning: string,
  body: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await body();
  } catch (error) {
    const isPassable =
      error instanceof SkytoolsError && (error.code === "DATABASE" || error.code === "RETURN_CODE");
    if (!isPassable) throw error;
    admin.job.log.warn(`${warning}: ${error.message}`);
    return undefined;
  }
}
