import { timed } from "../measure.ts";
import { originalPgqBinDir } from "../peer/original-pgq.ts";
import { ourWorker, pythonWorker, QueueChain } from "../peer/queue-chain.ts";
import type { BenchOptions, Contest, Contestant, Scenario } from "../scenario.ts";
import { benchServer } from "../server.ts";

const batches = 10;
const chainLevels = [1, 2, 4];

/** Events a second that branches copy into their queues when they have fallen behind. */
export const branch: Scenario = {
  name: "branch",
  summary: "events a second copied into a branch's queue: ours, the python worker; a chain of five nodes",
  async *contests(options: BenchOptions): AsyncIterable<Contest> {
    const events = Math.max(2_000, Math.round(200_000 * options.scale));
    await using server = await benchServer({ preferOriginal: originalPgqBinDir() !== undefined });
    const python = pythonWorker();
    const chains: QueueChain[] = [];
    const open = async (flavour: ReturnType<typeof ourWorker>, levels: number) => {
      const chain = await QueueChain.start(server, flavour, levels);
      chains.push(chain);
      return chain;
    };
    try {
      const ours = await open(ourWorker(), 1);
      const copying = [contestant("ours", ours, events, 1)];
      if (python !== undefined) copying.unshift(contestant(python.name, await open(python, 1), events, 1));
      yield {
        title: `copying ${events} events in ${batches} batches into a branch`,
        unit: "events",
        baseline: copying[0]!.name,
        contestants: copying,
      };
      const contestants: Contestant[] = [contestant("2 nodes", ours, events, 1)];
      for (const levels of chainLevels.slice(1)) {
        contestants.push(contestant(`${levels + 1} nodes`, await open(ourWorker(), levels), events, levels));
      }
      yield {
        title: `passing ${events} events down a chain, copies of all levels`,
        unit: "copies",
        baseline: "2 nodes",
        contestants,
      };
    } finally {
      for (const chain of chains.toReversed()) await chain[Symbol.asyncDispose]();
    }
  },
};

function contestant(name: string, chain: QueueChain, events: number, levels: number): Contestant {
  return {
    name,
    async run() {
      const tick = await chain.load(events, batches);
      return await timed(events * levels, () => chain.passOn(tick));
    },
  };
}
