import { setTimeout as sleep } from "node:timers/promises";
import { nodeKeys, queueNodes } from "./cascade-model.ts";
import { jobName, queueName } from "./configuration.ts";
import type { SetDatabases } from "./set-databases.ts";

const periodMs = 1000;
/** Ticks that a node may be behind before the writers wait for it. */
const mostTicks = 40n;

/** How far the slowest node is behind: on a busy machine writers would be faster than everybody else for ever. */
export class Backlog {
  readonly #databases: SetDatabases;
  #isWatching = false;
  #isLarge = false;
  #done: Promise<void> = Promise.resolve();

  constructor(databases: SetDatabases) {
    this.#databases = databases;
  }

  /** Some node is far behind. */
  get isLarge(): boolean {
    return this.#isLarge;
  }

  start(): void {
    this.#isWatching = true;
    this.#done = this.#watch();
  }

  async stop(): Promise<void> {
    this.#isWatching = false;
    await this.#done;
  }

  async #watch(): Promise<void> {
    while (this.#isWatching) {
      // A server that is down is asked again.
      this.#isLarge = await this.#look().catch(() => this.#isLarge);
      await sleep(periodMs);
    }
  }

  async #look(): Promise<boolean> {
    const newest = await Promise.all(
      queueNodes.map((key) =>
        this.#number(
          key,
          "select max(tick_id)::text as number from pgq.tick join pgq.queue on queue_id = tick_queue where queue_name = $1",
          [queueName],
        ),
      ),
    );
    const positions = await Promise.all(
      nodeKeys.map((key) =>
        this.#number(
          key,
          `select coalesce(provider_tick, last_tick_id)::text as number from (
             select last_tick_id, case when node_type = 'root' then (select max(tick_id) from pgq.tick) end as provider_tick
               from pgq_node.local_state join pgq_node.node_info using (queue_name)
              where queue_name = $1 and consumer_name = $2) x`,
          [queueName, jobName(key)],
        ),
      ),
    );
    return newest.some((tick) => positions.some((position) => tick - position > mostTicks));
  }

  async #number(key: (typeof nodeKeys)[number], sql: string, parameters: readonly string[]): Promise<bigint> {
    const [row] = await this.#databases.query<{ number: string }>(key, sql, parameters);
    return BigInt(row!.number);
  }
}
