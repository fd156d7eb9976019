import { Database } from "@skytools/skytools";
import { waitFor } from "@skytools/testbed";
import { timed } from "../measure.ts";
import { ourLondiste, pythonLondiste } from "../peer/londiste.ts";
import { londisteReplica } from "../peer/londiste-replica.ts";
import { nativeReplica } from "../peer/native-logical.ts";
import { originalPgqBinDir } from "../peer/original-pgq.ts";
import type { Replica } from "../peer/replica.ts";
import type { BenchOptions, Contest, Contestant, Scenario } from "../scenario.ts";
import { benchServer } from "../server.ts";
import { type LoadSize, loadSize, runLoad } from "../workload.ts";

/** Changes a second that a replica applies when it has fallen behind. */
export const replay: Scenario = {
  name: "replay",
  summary: "row changes a second while catching up: ours, native logical replication, python Londiste",
  async *contests(options: BenchOptions): AsyncIterable<Contest> {
    await using source = await benchServer({ preferOriginal: true });
    await using target = await benchServer({ preferOriginal: true });
    const size = loadSize(options.scale);
    const python = originalPgqBinDir() === undefined ? undefined : pythonLondiste();
    const all: Replica[] = [];
    try {
      all.push(await nativeReplica(source, target, size));
      all.push(await londisteReplica(ourLondiste(), source, target, size));
      if (python !== undefined) all.push(await londisteReplica(python, source, target, size));
      yield* loads(all, size, [100, 1]);
    } finally {
      for (const replica of all.toReversed()) await replica[Symbol.asyncDispose]();
    }
  },
};

/** The same with one row a transaction, which the python Londiste would take many minutes for. */
export const single: Scenario = {
  name: "single",
  summary: "the same in single-row transactions: ours, native logical replication",
  async *contests(options: BenchOptions): AsyncIterable<Contest> {
    await using source = await benchServer({ preferOriginal: true });
    await using target = await benchServer({ preferOriginal: true });
    const size = loadSize(options.scale);
    await using native = await nativeReplica(source, target, size);
    await using ours = await londisteReplica(ourLondiste(), source, target, size);
    yield* loads([native, ours], size, ["single"]);
  },
};

function* loads(
  all: readonly Replica[],
  size: LoadSize,
  transactionCounts: readonly (number | "single")[],
): Iterable<Contest> {
  const loadNumbers = new Map(all.map((replica) => [replica, 0]));
  const changes = size.inserts + size.updates + size.deletes;
  for (const transactions of transactionCounts) {
    yield {
      title: `replay of ${changes} row changes in ${transactions === "single" ? changes : transactions} transaction(s)`,
      unit: "changes",
      baseline: all[0]!.name,
      contestants: all.map((replica) => contestant(replica, size, transactions, loadNumbers)),
    };
  }
}

function contestant(
  replica: Replica,
  size: LoadSize,
  transactions: number | "single",
  loadNumbers: Map<Replica, number>,
): Contestant {
  return {
    name: replica.name,
    async run() {
      const number = loadNumbers.get(replica)! + 1;
      loadNumbers.set(replica, number);
      await using source = await Database.open(replica.sourceConnstr, { autocommit: true });
      await using target = await Database.open(replica.targetConnstr, { autocommit: true });
      await replica.hold();
      await runLoad(source, size, number, transactions);
      await replica.seal();
      const sample = await timed(size.inserts + size.updates + size.deletes, async () => {
        await replica.release();
        await waitFor(
          `load ${number} on ${replica.name}`,
          async () => (await target.queryValue<number>("select n from marker where id = 1")) === number,
          { timeoutMs: 600_000, intervalMs: 10 },
        );
      });
      const memoryMb = replica.peakMemoryMb();
      return { ...sample, ...(memoryMb === undefined ? {} : { memoryMb }) };
    },
  };
}
