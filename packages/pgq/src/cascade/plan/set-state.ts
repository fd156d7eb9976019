import { type Database, SkytoolsError } from "@skytools/skytools";
import { getConsumerInfo } from "../../pgq-api.ts";
import type { CascadeAdmin } from "../cascade-admin.ts";
import { membersOf, openLocal, openLocation, requireLocalNode } from "../node-connection.ts";
import type { CascadedConsumerInfo, NodeInfo, NodeLocation, SubscriberInfo } from "../node-info.ts";
import { getCascadedConsumers, getNodeInfo, getSubscriberInfo } from "../pgq-node-api.ts";

/** A queue on a node that has one. */
export interface QueueState {
  readonly isInsertDisabled: boolean;
  readonly oldestTick: bigint;
  readonly newestTick: bigint;
  /** position of each consumer of the queue */
  readonly positions: ReadonlyMap<string, bigint>;
}

/** A member that has answered. */
export interface LiveMember extends NodeLocation {
  readonly db: Database;
  readonly node: NodeInfo;
  /** null on a leaf */
  readonly queue: QueueState | null;
  readonly subscribers: readonly SubscriberInfo[];
  /** its worker, plain consumers, table copies */
  readonly consumers: readonly CascadedConsumerInfo[];
}

/** A member that was not asked, because it is dead, or has not answered. */
export interface SilentMember extends NodeLocation {
  /** null: tagged dead, or said to be dead on the command line */
  readonly failure: string | null;
  /** said to be dead on the command line, for this run */
  readonly isAssumedDead: boolean;
}

/** The whole set as the databases describe it at one moment. */
export class SetState {
  readonly queueName: string;
  readonly localNode: string;
  readonly live: ReadonlyMap<string, LiveMember>;
  readonly silent: ReadonlyMap<string, SilentMember>;
  /** second names of members, with those that they go by themselves: a node is being renamed */
  readonly aliases: ReadonlyMap<string, string>;

  constructor(queueName: string, localNode: string, answers: readonly (LiveMember | SilentMember)[]) {
    this.queueName = queueName;
    this.localNode = localNode;
    const names = new Set(answers.filter(isLive).map((member) => member.nodeName));
    const aliases = answers
      .filter(isLive)
      .filter((member) => isAlias(member) && names.has(member.node.nodeName));
    this.aliases = new Map(aliases.map((member) => [member.nodeName, member.node.nodeName]));
    const members = answers.filter((member) => !this.aliases.has(member.nodeName));
    this.live = new Map(members.filter(isLive).map((member) => [member.nodeName, member]));
    this.silent = new Map(
      members.filter((member): member is SilentMember => !isLive(member)).map((m) => [m.nodeName, m]),
    );
  }

  isKnown(nodeName: string): boolean {
    return this.live.has(nodeName) || this.silent.has(nodeName) || this.aliases.has(nodeName);
  }

  /** The nodes that this one gets its events from, nearest first, as far as they can be asked; a circle ends the list. */
  upstreamOf(nodeName: string): string[] {
    const passed: string[] = [];
    let member = this.live.get(nodeName);
    while (member !== undefined && member.node.nodeType !== "root") {
      const { providerNode } = member.node;
      if (providerNode === nodeName || passed.includes(providerNode)) break;
      passed.push(providerNode);
      member = this.live.get(providerNode);
    }
    return passed;
  }

  /** Living nodes that read from this one, by name. */
  readersOf(nodeName: string): LiveMember[] {
    return [...this.live.values()].filter(
      ({ node }) => node.nodeType !== "root" && node.providerNode === nodeName && node.nodeName !== nodeName,
    );
  }

  /** Living nodes that know the node as a subscriber, whether it reads from them or not. */
  subscribedOn(nodeName: string): LiveMember[] {
    return [...this.live.values()].filter((member) =>
      member.subscribers.some((subscriber) => subscriber.nodeName === nodeName),
    );
  }

  /** All living members; the root, whose changes reach the others as events, at the end. */
  get rootLast(): LiveMember[] {
    const rank = ({ node }: LiveMember) => (node.nodeType === "root" ? 1 : 0);
    return [...this.live.values()].toSorted((a, b) => rank(a) - rank(b));
  }

  get roots(): LiveMember[] {
    return [...this.live.values()].filter((member) => member.node.nodeType === "root");
  }
}

function isAlias({ nodeName, node }: LiveMember): boolean {
  return node.nodeName !== nodeName;
}

export function isLive(member: LiveMember | SilentMember): member is LiveMember {
  return "db" in member;
}

/** Asks all members that the local node knows, at once. Only the local node must answer.
 * @param deadNodes members to be treated as dead in this run
 * @throws UsageError when there is no local node */
export async function readSetState(
  admin: CascadeAdmin,
  deadNodes: readonly string[] = [],
): Promise<SetState> {
  const local = await openLocal(admin);
  const here = await requireLocalNode(admin, local);
  const members = await membersOf(local, admin.queueName);
  for (const name of deadNodes) admin.job.log.info(`Assuming node '${name}' as dead`);
  const states = await Promise.all(
    members.map(async (member): Promise<LiveMember | SilentMember> => {
      const isAssumedDead = !member.isDead && deadNodes.includes(member.nodeName);
      if ((member.isDead || isAssumedDead) && member.nodeName !== here.nodeName) {
        return { ...member, isDead: true, isAssumedDead, failure: null };
      }
      const db = member.nodeName === here.nodeName ? local : undefined;
      return readMember(admin, member, db);
    }),
  );
  return new SetState(admin.queueName, here.nodeName, states);
}

/** Asks one member, dead or not.
 * @param open its connection, when there is one already */
export async function readMember(
  admin: CascadeAdmin,
  member: NodeLocation,
  open?: Database,
): Promise<LiveMember | SilentMember> {
  try {
    const db = open ?? (await openLocation(admin, member.location));
    const node = await getNodeInfo(db, admin.queueName);
    if (node === undefined) {
      await db.commit();
      const failure = `queue "${admin.queueName}" has no node in ${db.label}`;
      return { ...member, isAssumedDead: false, failure };
    }
    const hasQueue = node.nodeType !== "leaf";
    const state = {
      ...member,
      db,
      node,
      queue: hasQueue ? await readQueue(db, admin.queueName) : null,
      subscribers: hasQueue ? await getSubscriberInfo(db, admin.queueName) : [],
      consumers: await getCascadedConsumers(db, admin.queueName),
    };
    await db.commit();
    return state;
  } catch (error) {
    if (open !== undefined || !(error instanceof SkytoolsError)) throw error;
    return { ...member, isAssumedDead: false, failure: error.message };
  }
}

async function readQueue(db: Database, queueName: string): Promise<QueueState> {
  const flags = await db.queryOne<{ isInsertDisabled: boolean; oldestTick: bigint; newestTick: bigint }>(
    `select q.queue_disable_insert as "isInsertDisabled",
            min(t.tick_id) as "oldestTick", max(t.tick_id) as "newestTick"
       from pgq.queue q join pgq.tick t on t.tick_queue = q.queue_id
      where q.queue_name = $1 group by q.queue_id, q.queue_disable_insert`,
    [queueName],
  );
  const consumers = await getConsumerInfo(db, queueName);
  return {
    ...flags,
    positions: new Map(
      consumers.flatMap(({ consumerName, lastTick }) =>
        lastTick === null ? [] : [[consumerName, lastTick]],
      ),
    ),
  };
}
