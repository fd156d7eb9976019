import { crashPoint, SkytoolsError, UsageError } from "@skytools/skytools";
import type { CascadeAdmin } from "../cascade-admin.ts";
import { findRoot, membersOf, openLocal, openLocation, requireLocalNode } from "../node-connection.ts";
import type { NodeInfo, NodeLocation } from "../node-info.ts";
import { dropNode, getSubscriberInfo } from "../pgq-node-api.ts";

/** Removes a node from the set: from its own database, queue included, and from every member; the root tells those who were
 * not reached. Members that are dead, or do not answer, are passed over with a warning. The node that runs the command forgets
 * last, so that a run that was interrupted is completed by running it again.
 * @throws UsageError for an unknown node, SkytoolsError CASCADE_TOPOLOGY while it has subscribers
 * Source: spec/cascade.md 9.6 */
export async function dropCascadeNode(
  admin: CascadeAdmin,
  nodeName: string,
  deadNodes: readonly string[] = [],
): Promise<void> {
  const local = await openLocal(admin);
  const here = await requireLocalNode(admin, local);
  const known = await membersOf(local, admin.queueName);
  const members = known.map((member) =>
    deadNodes.includes(member.nodeName) ? { ...member, isDead: true } : member,
  );
  for (const name of deadNodes) admin.job.log.info(`Assuming node '${name}' as dead`);
  const doomed = members.find((member) => member.nodeName === nodeName);
  if (doomed === undefined) throw new UsageError(`Unknown node: ${nodeName}`, { hint: "See members." });
  await refuseWithSubscribers(admin, doomed);

  const rootName = await findRootName(admin, here);
  for (const member of inOrder(members, nodeName, rootName, here.nodeName)) {
    const isOwn = member.nodeName === nodeName;
    const warning = isOwn ? "Local drop failure" : `Failed to remove from '${member.nodeName}'`;
    await dropOn(admin, member, nodeName, warning);
    crashPoint("drop.after-member");
  }
}

/** The node itself, the others, the root, and at last the one that runs the command. */
function inOrder(
  members: readonly NodeLocation[],
  nodeName: string,
  rootName: string | undefined,
  hereName: string,
): NodeLocation[] {
  const rank = (name: string) => (name === hereName ? 3 : name === rootName ? 2 : name === nodeName ? 0 : 1);
  return members.toSorted((a, b) => rank(a.nodeName) - rank(b.nodeName));
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
      { hint: "Give them another provider or drop them first." },
    );
  });
}

async function findRootName(admin: CascadeAdmin, here: NodeInfo): Promise<string | undefined> {
  if (here.nodeType === "root") return here.nodeName;
  const root = await tolerate(admin, "Unregister from root failed", () =>
    findRoot(admin, here.providerLocation),
  );
  return root?.node.nodeName;
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
