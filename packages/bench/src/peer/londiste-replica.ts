import { type Cluster, waitFor } from "@skytools/testbed";
import { peakMemoryMb } from "../process-usage.ts";
import { type LoadSize, tablesSql } from "../workload.ts";
import type { LondisteFlavour } from "./londiste.ts";
import { benchQueue, LondistePair } from "./londiste-pair.ts";
import type { Replica } from "./replica.ts";

/** A root on one server, a leaf on the other, both tables in sync, all daemons running. */
export async function londisteReplica(
  flavour: LondisteFlavour,
  source: Cluster,
  target: Cluster,
  size: LoadSize,
): Promise<Replica> {
  const pair = await LondistePair.start(flavour, flavour.name.replaceAll(" ", "_"), source, target, {
    sourceSql: tablesSql(size),
    targetSql: tablesSql(undefined),
    workerKeys: ["loop_delay = 0.1", "parallel_copies = 2"],
    tickerKeys: ["ticker_period = 0.1"],
  });
  const { from, to } = pair;
  await pair.onRoot("add-table", "accounts", "marker");
  await pair.onLeaf("add-table", "accounts", "marker");
  await waitFor(`${flavour.name} initial copy`, () => pair.isInSync(), {
    timeoutMs: 180_000,
    onTimeout: () => pair.outputTail(),
  });
  const worker = await to.queryValue<string>("select worker_name from pgq_node.node_info");
  const setPaused = async (isPaused: boolean): Promise<void> => {
    await to.query("select * from pgq_node.set_consumer_paused($1, $2, $3)", [benchQueue, worker, isPaused]);
  };
  return {
    name: flavour.name,
    sourceConnstr: pair.sourceConnstr,
    targetConnstr: pair.targetConnstr,
    async hold() {
      await setPaused(true);
      await waitFor(`${flavour.name} worker's pause`, () =>
        to.queryValue<boolean>("select uptodate from pgq_node.local_state where consumer_name = $1", [
          worker,
        ]),
      );
    },
    async seal() {
      const top = await from.queryValue<bigint>("select pgq.force_tick($1)", [benchQueue]);
      await waitFor(`${flavour.name} tick after the load`, async () => {
        const tick = await from.queryValue<bigint>("select last_tick_id from pgq.get_queue_info($1)", [
          benchQueue,
        ]);
        return tick !== undefined && top !== undefined && tick > top;
      });
    },
    release: () => setPaused(false),
    peakMemoryMb: () => peakMemoryMb(pair.workerPid),
    [Symbol.asyncDispose]: () => pair[Symbol.asyncDispose](),
  };
}
