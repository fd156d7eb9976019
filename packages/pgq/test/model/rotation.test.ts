import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Database } from "@skytools/skytools";
import { type Cluster, explore, type Move, moduleDatabase, startCluster } from "@skytools/testbed";
import {
  batchTables,
  checkRotation,
  movesOf,
  type RotationRule,
  type RotationWorld,
  rotationRule,
  rotationWorld,
} from "./rotation-world.js";

const few = { events: 1, ticks: 3, rotations: 2 };
const more = { events: 2, ticks: 2, rotations: 2 };

describe("every state of three tables that are rotated under writers and a consumer", () => {
  for (const left of [few, more]) {
    it(`has each event where its batch is looked for, and truncates none before that: ${JSON.stringify(left)}`, async () => {
      const world = rotationWorld(left);
      const { states, failure } = await explore(world, (each) => movesOf(each, rotationRule), checkRotation);
      assert.equal(failure, undefined);
      assert.ok(states > 10_000, `${states} states`);
    });
  }

  const isLost =
    /events are truncated that were not delivered|an event is in a table that is not looked into/;

  it("would lose events if the consumer's place did not count", async () => {
    const { failure } = await explore(
      rotationWorld(more),
      (world) => movesOf(world, () => true),
      checkRotation,
    );
    assert.match(failure ?? "", isLost);
  });

  it("would lose events if a switch counted from its first step", async () => {
    const rule: RotationRule = ({ lowestXmin, step1 }) => lowestXmin > step1;
    const { failure } = await explore(rotationWorld(few), (world) => movesOf(world, rule), checkRotation);
    assert.match(failure ?? "", isLost);
  });
});

describe("what the server does", () => {
  let cluster: Cluster;

  before(async () => {
    // A vacuum would be one more transaction, of which the model knows nothing.
    cluster = await startCluster({ settings: { autovacuum: "off" } });
  });
  after(() => cluster[Symbol.asyncDispose]());

  /** Always the same numbers. */
  function numbers(seed: number): (below: number) => number {
    let state = seed;
    return (below) => {
      state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
      return (state >>> 8) % below;
    };
  }

  it("is what the model does, move for move", async () => {
    await using queue = await RealQueue.open(await moduleDatabase(cluster, ["pgq"]));
    let rotations = 0;
    for (let walk = 1; walk <= 10; walk += 1) {
      const choose = numbers(walk);
      await queue.renew();
      let world = rotationWorld({ events: 5, ticks: 8, rotations: 8 });
      const way: string[] = [];
      for (let move = 0; move < 45; move += 1) {
        const moves: Move<RotationWorld>[] = movesOf(world, rotationRule);
        const next = moves[choose(moves.length)];
        if (next === undefined) break;
        way.push(next.name);
        const reached = next.make();
        const delivered = await queue.do(next.name, world, reached);
        if (reached.current !== world.current) rotations += 1;
        world = reached;
        checkRotation(world);
        assert.equal(await queue.current(), world.current, `walk ${walk}: ${way.join(", ")}`);
        if (delivered !== undefined)
          assert.deepEqual(delivered, world.delivered, `walk ${walk}: ${way.join(", ")}`);
        if (world.isOpen)
          assert.deepEqual(await queue.batchTables(), batchTables(world), `walk ${walk}: ${way.join(", ")}`);
      }
    }
    assert.ok(rotations > 5, `${rotations} rotations`);
  });
});

/** A queue on a server whose transactions are numbered by the model: events carry the model's number. */
class RealQueue implements AsyncDisposable {
  readonly #db: Database;
  readonly #rotation: Database;
  readonly #connstr: string;
  readonly #writers = new Map<number, Database>();
  #delivered: number[] = [];
  #batch: bigint | undefined;

  private constructor(db: Database, rotation: Database, connstr: string) {
    this.#db = db;
    this.#rotation = rotation;
    this.#connstr = connstr;
  }

  static async open(connstr: string): Promise<RealQueue> {
    const rotation = await Database.open(connstr);
    return new RealQueue(await Database.open(connstr, { autocommit: true }), rotation, connstr);
  }

  async renew(): Promise<void> {
    for (const writer of this.#writers.values()) await writer.close();
    this.#writers.clear();
    this.#delivered = [];
    this.#batch = undefined;
    await this.#rotation.rollback();
    await this.#db.query("select pgq.drop_queue('q', true) from pgq.get_queue_info() where queue_name = 'q'");
    await this.#db.query("select pgq.create_queue('q')");
    await this.#db.query("select pgq.set_queue_config('q', 'rotation_period', '0')");
    await this.#tick();
    await this.#db.query("select pgq.register_consumer('q', 'c')");
  }

  /** @returns what the consumer has been given until now, where the move is about that */
  async do(
    move: string,
    { nextTxid }: RotationWorld,
    { switching }: RotationWorld,
  ): Promise<number[] | undefined> {
    const [kind = "", text] = move.split(" ");
    const number = Number(text);
    switch (kind) {
      case "begin": {
        const writer = await Database.open(this.#connstr);
        await writer.query("select txid_current()");
        this.#writers.set(nextTxid, writer);
        return undefined;
      }
      case "insert":
        await this.#writers.get(number)!.query("select pgq.insert_event('q', 't', $1)", [String(number)]);
        return undefined;
      case "commit": {
        const writer = this.#writers.get(number)!;
        await writer.commit();
        await writer.close();
        this.#writers.delete(number);
        return undefined;
      }
      case "step":
        if (number === 2) await this.#db.query("select pgq.maint_rotate_tables_step2()");
        else {
          await this.#rotation.query("select pgq.maint_rotate_tables_step1('q')");
          if (switching === undefined) await this.#rotation.commit();
        }
        return undefined;
      case "switch":
        await this.#rotation.commit();
        return undefined;
      case "tick":
        await this.#tick();
        return undefined;
      case "open":
        this.#batch = await this.#db.queryValue<bigint>("select pgq.next_batch('q', 'c')");
        return undefined;
      default: {
        const events = await this.#db.query<{ data: string }>(
          "select ev_data as data from pgq.get_batch_events($1)",
          [this.#batch],
        );
        await this.#db.query("select pgq.finish_batch($1)", [this.#batch]);
        this.#delivered.push(...events.map(({ data }) => Number(data)));
        this.#delivered.sort((a, b) => a - b);
        return this.#delivered;
      }
    }
  }

  async #tick(): Promise<void> {
    await this.#db.query("select pgq.force_tick('q')");
    const tick = await this.#db.queryValue("select pgq.ticker('q')");
    assert.notEqual(tick, null);
  }

  async current(): Promise<number> {
    return (await this.#db.queryValue<number>("select queue_cur_table from pgq.queue")) as number;
  }

  async batchTables(): Promise<number[]> {
    const rows = await this.#db.query<{ name: string }>("select name from pgq.batch_event_tables($1) name", [
      this.#batch,
    ]);
    return rows.map(({ name }) => Number(name.split("_").at(-1)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const writer of this.#writers.values()) await writer.close();
    await this.#rotation.close();
    await this.#db.close();
  }
}
