import { Database } from "@skytools/skytools";
import { waitFor } from "@skytools/testbed";
import { timed } from "../measure.ts";
import { bulkLoader, cubeDispatcher, loaderReplica } from "../peer/loader.ts";
import { ourLondiste } from "../peer/londiste.ts";
import { benchQueue } from "../peer/londiste-pair.ts";
import { londisteReplica } from "../peer/londiste-replica.ts";
import type { Replica } from "../peer/replica.ts";
import type { BenchOptions, Contest, Contestant, Scenario } from "../scenario.ts";
import { benchServer } from "../server.ts";
import { type LoadSize, loadSize, runLoad } from "../workload.ts";

/** Changes a second that the loading programs apply when they have fallen behind, beside Londiste's replay of the same events. */
export const loaders: Scenario = {
  name: "loaders",
  summary: "row changes a second while catching up: bulk_loader3, cube_dispatcher3, Londiste's replay",
  async *contests(options: BenchOptions): AsyncIterable<Contest> {
    await using source = await benchServer();
    await using target = await benchServer();
    const size = loadSize(options.scale);
    const all: Replica[] = [];
    try {
      const londiste = await londisteReplica(ourLondiste(), source, target, size);
      all.push(londiste);
      for (const flavour of [bulkLoader, cubeDispatcher]) {
        all.push(await loaderReplica(flavour, londiste.sourceConnstr, benchQueue, target, size));
      }
      const loads = new SharedLoads(all, size);
      for (const transactions of [100, 1]) yield contest(loads, transactions);
    } finally {
      for (const replica of all.toReversed()) await replica[Symbol.asyncDispose]();
    }
  },
};

/** Loads of one source that all contestants replay, one after the other. */
class SharedLoads {
  readonly replicas: readonly Replica[];
  readonly size: LoadSize;
  readonly #replayed = new Map<Replica, number>();
  #written = 0;

  constructor(replicas: readonly Replica[], size: LoadSize) {
    this.replicas = replicas;
    this.size = size;
  }

  /** Makes sure that there is a load that the replica has not seen, while all are held. @returns its number */
  async next(replica: Replica, transactions: number): Promise<number> {
    const number = (this.#replayed.get(replica) ?? 0) + 1;
    this.#replayed.set(replica, number);
    if (number > this.#written) {
      for (const each of this.replicas) await each.hold();
      await using source = await Database.open(replica.sourceConnstr, { autocommit: true });
      await runLoad(source, this.size, number, transactions);
      for (const each of this.replicas) await each.seal();
      this.#written = number;
    }
    return number;
  }
}

function contest(loads: SharedLoads, transactions: number): Contest {
  const { inserts, updates, deletes } = loads.size;
  return {
    title: `loading of ${inserts + updates + deletes} row changes in ${transactions} transaction(s)`,
    unit: "changes",
    baseline: loads.replicas[0]!.name,
    contestants: loads.replicas.map((replica) => contestant(replica, loads, transactions)),
  };
}

function contestant(replica: Replica, loads: SharedLoads, transactions: number): Contestant {
  const { inserts, updates, deletes } = loads.size;
  return {
    name: replica.name,
    async run() {
      const number = await loads.next(replica, transactions);
      await using target = await Database.open(replica.targetConnstr, { autocommit: true });
      const sample = await timed(inserts + updates + deletes, async () => {
        await replica.release();
        await waitFor(
          `load ${number} on ${replica.name}`,
          async () => (await target.queryValue<number>("select max(n) from marker")) === number,
          { timeoutMs: 600_000, intervalMs: 10 },
        );
      });
      await replica.hold();
      const memoryMb = replica.peakMemoryMb();
      return { ...sample, ...(memoryMb === undefined ? {} : { memoryMb }) };
    },
  };
}
