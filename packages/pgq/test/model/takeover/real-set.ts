import { Database, type Job, SkytoolsError } from "@skytools/skytools";
import { type Cluster, moduleDatabase } from "@skytools/testbed";
import type { SetDatabases } from "./node-database.js";
import { type ModelNode, type ModelNodes, type ModelTick, withEntry, workerName } from "./set-world.js";

/** The part of a node that a real one shows too. Of ticks the ids: their times are other ones. */
interface Visible extends Pick<ModelNode, "type" | "provider" | "isPaused" | "isUptodate"> {
  readonly completed: number | null;
  readonly events: readonly string[];
  readonly ticks: readonly number[];
  readonly lastTickId: number | null;
  readonly isExternal: boolean;
  readonly places: ModelNode["places"];
  readonly subscribers: ModelNode["subscribers"];
  readonly dead: readonly string[];
}

export function visible(node: ModelNode): Visible {
  const { type, provider, isPaused, isUptodate, events, isExternal, places, subscribers, dead } = node;
  const isRoot = type === "root";
  return {
    type,
    provider,
    isPaused,
    isUptodate,
    events,
    isExternal,
    places,
    subscribers,
    dead,
    completed: isRoot ? null : node.completed,
    ticks: node.ticks.map(({ id }) => id),
    lastTickId: isRoot ? node.lastTickId : null,
  };
}

/** The nodes of a model as databases of a server. Workers and tickers are played: what the model says of them is done here. */
export class RealSet implements SetDatabases, AsyncDisposable {
  nodes: ModelNodes;
  readonly #databases: ReadonlyMap<string, Database>;
  readonly #names: ReadonlyMap<string, string>;

  private constructor(
    nodes: ModelNodes,
    databases: ReadonlyMap<string, Database>,
    names: ReadonlyMap<string, string>,
  ) {
    this.nodes = nodes;
    this.#databases = databases;
    this.#names = names;
  }

  static async create(cluster: Cluster, nodes: ModelNodes): Promise<RealSet> {
    const databases = new Map<string, Database>();
    const names = new Map<string, string>();
    for (const name of Object.keys(nodes)) {
      const connstr = await moduleDatabase(cluster, ["pgq", "pgq_node"]);
      names.set(connstr, name);
      databases.set(name, await Database.open(connstr));
    }
    for (const [name, { type, provider }] of Object.entries(nodes)) {
      const db = databases.get(name)!;
      for (const [connstr, each] of names) {
        await db.query("select pgq_node.register_location('q', $1, $2, false)", [each, connstr]);
      }
      const isRoot = type === "root";
      await db.query("select pgq_node.create_node('q', $1, $2, $3, $4, $5::int8, null)", [
        type,
        name,
        workerName(name),
        isRoot ? null : provider,
        isRoot ? null : 1,
      ]);
      await db.commit();
    }
    for (const [name, { type, provider }] of Object.entries(nodes)) {
      if (type === "root") continue;
      const db = databases.get(provider)!;
      await db.query("select pgq_node.register_subscriber('q', $1, $2, 1)", [name, workerName(name)]);
      await db.commit();
    }
    for (const db of databases.values()) {
      await db.query("update pgq_node.local_state set uptodate = true");
      // the set has begun with the very same tick
      await db.query("update pgq.tick set tick_time = '2001-01-01'");
      await db.commit();
    }
    return new RealSet(nodes, databases, names);
  }

  of(localName: string): Pick<Job["databases"], "get"> {
    return {
      get: async (key) => {
        const name = key === "db" ? localName : this.#names.get(key.replace("node.", ""))!;
        if (!this.nodes[name]!.isUp) throw new SkytoolsError("DATABASE", `${name} does not answer`);
        return this.#databases.get(name)!;
      },
    };
  }

  /** What workers, tickers and applications have done between two states of the model. */
  async play(before: ModelNodes, after: ModelNodes): Promise<void> {
    for (const [name, node] of Object.entries(after)) {
      if (node === before[name]) continue;
      await this.#playNode(name, before[name]!, node);
    }
  }

  async #playNode(name: string, before: ModelNode, after: ModelNode): Promise<void> {
    const db = this.#databases.get(name)!;
    const tick = after.ticks.find(({ id }) => before.ticks.every((each) => each.id !== id));
    for (const event of after.events.slice(before.events.length)) await this.#insert(db, after, event);
    await db.commit();
    if (tick !== undefined) await this.#tick(db, after, tick);
    if (after.completed !== before.completed) {
      const call = "select pgq_node.set_consumer_completed_at('q', $1, $2::int8, $3::timestamptz)";
      await db.query(call, [workerName(name), after.completed, await this.#timeOf(after, after.completed)]);
    }
    if (after.isUptodate && !before.isUptodate) {
      await db.query("select pgq_node.set_consumer_uptodate('q', $1, true)", [workerName(name)]);
    }
    for (const [consumer, place] of Object.entries(after.places)) {
      if (before.places[consumer] === place) continue;
      await db.query("select pgq.register_consumer_at('q', $1, $2::int8)", [consumer, place]);
    }
    await db.commit();
  }

  async #insert(db: Database, { type }: ModelNode, event: string): Promise<void> {
    if (type === "leaf") return;
    if (type === "root") {
      await db.query("select pgq.insert_event('q', 'data', $1)", [event]);
      return;
    }
    // the queue of a branch refuses what does not come from its provider
    await db.query("set local session_replication_role = replica");
    const table = await db.queryValue<string>("select pgq.current_event_table('q')");
    await db.query(
      `insert into ${table} (ev_id, ev_time, ev_type, ev_data)
       select nextval(queue_event_seq::regclass), now(), 'data', $1 from pgq.queue`,
      [event],
    );
  }

  async #tick(db: Database, node: ModelNode, { id }: ModelTick): Promise<void> {
    if (node.type === "root") await db.query("select pgq.force_tick('q'), pgq.ticker('q')");
    else
      await db.query("select pgq.ticker('q', $1::int8, $2::timestamptz, 1)", [
        id,
        await this.#timeOf(node, id),
      ]);
    await db.commit();
  }

  /** The time of a tick on the provider. */
  async #timeOf({ provider }: ModelNode, tickId: number): Promise<string | null> {
    const db = this.#databases.get(provider)!;
    const time = await db.queryValue<string>("select tick_time from pgq.tick where tick_id = $1::int8", [
      tickId,
    ]);
    await db.commit();
    return time ?? null;
  }

  /** @param events of a leaf, which has none here */
  async look(name: string, { type, events }: ModelNode): Promise<Visible> {
    const db = this.#databases.get(name)!;
    const node = await db.queryOne<
      Pick<Visible, "provider" | "isPaused" | "isUptodate" | "type"> & { completed: bigint }
    >(
      `select node_type as type, provider_node as provider, last_tick_id as completed, paused as "isPaused",
              uptodate as "isUptodate"
         from pgq_node.node_info join pgq_node.local_state on consumer_name = worker_name`,
    );
    const dead = await db.query<{ name: string }>(
      "select node_name as name from pgq_node.node_location where dead order by 1",
    );
    const isRoot = node.type === "root";
    const seen = {
      ...node,
      completed: isRoot ? null : Number(node.completed),
      dead: dead.map((row) => row.name),
      ...(type === "leaf"
        ? { events, ticks: [], lastTickId: null, isExternal: true, places: {}, subscribers: {} }
        : await this.#lookAtQueue(db, isRoot)),
    };
    await db.commit();
    return seen;
  }

  async #lookAtQueue(db: Database, isRoot: boolean) {
    const queue = await db.queryOne<{ isExternal: boolean; last: bigint }>(
      `select queue_disable_insert and queue_external_ticker as "isExternal", pgq.seq_getval(queue_tick_seq) as last
         from pgq.queue`,
    );
    const events = await db.query<{ data: string }>(
      "select ev_data as data from pgq.event_1 where ev_type = 'data' order by ev_id",
    );
    const ticks = await db.query<{ id: bigint }>("select tick_id as id from pgq.tick order by tick_id");
    const places = await db.query<{ name: string; tick: bigint }>(
      "select consumer_name as name, last_tick as tick from pgq.get_consumer_info('q') where consumer_name !~ '^[.]'",
    );
    const subscribers = await db.query<{ name: string; worker: string }>(
      "select subscriber_node as name, worker_name as worker from pgq_node.subscriber_info",
    );
    return {
      isExternal: queue.isExternal,
      lastTickId: isRoot ? Number(queue.last) : null,
      events: events.map(({ data }) => data),
      ticks: ticks.map(({ id }) => Number(id)),
      places: places.reduce<ModelNode["places"]>(
        (all, { name, tick }) => withEntry(all, name, Number(tick)),
        {},
      ),
      subscribers: subscribers.reduce<ModelNode["subscribers"]>(
        (all, { name, worker }) => withEntry(all, name, worker),
        {},
      ),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const db of this.#databases.values()) await db.close();
  }
}
