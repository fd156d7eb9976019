import { join } from "node:path";
import { waitFor } from "@skytools/testbed";
import { databases, type NodeKey, nodeKeys, queueNodes } from "../cascade-model.ts";
import { queueName } from "../configuration.ts";
import type { Disturbance } from "../disturbance.ts";
import type { Stage } from "../stage.ts";
import { drawCommandKill, killText } from "./command-kill.ts";

/** The root dies, by itself or with its server, while it has what nobody else has; a branch takes over. The old one is back later,
 * finds writers again before anybody has told it, and becomes a branch. */
export const failover: Disturbance = {
  name: "failover",
  weight: 2,
  draw: (random, model) => {
    const dead = model.root;
    const deadName = model.name(dead);
    const branch = random.pick(model.branches);
    const killAfterMs = drawCommandKill(random);
    const isWithServer = random.chance(0.5);
    const unseenMs = random.int(0, 3000);
    const awayMs = random.int(1000, 8000);
    const nr = model.nextFailover();
    model.failOver(branch);
    return {
      detail: `from ${dead}${isWithServer ? " with its server" : ""} to ${branch}, away for ${awayMs} ms${killText(killAfterMs)}`,
      run: async (stage) => {
        const { servers, daemons, ledger, recoveries } = stage;
        // What operators have done so far is not to be lost: the model knows nothing of that.
        await stage.londiste(branch, ["wait-sync", "--timeout=50"]);
        await stage.londiste(branch, ["wait-root"]);
        daemons.signal(`worker ${branch}`, "SIGSTOP");
        await stage.pause(unseenMs);
        const died = performance.now();
        await servers.closeDatabase(dead);
        if (isWithServer) await servers.crash(databases[dead], true, async () => {});
        daemons.signal(`worker ${branch}`, "SIGCONT");
        const living = nodeKeys.filter((key) => key !== dead);
        await takeOver(stage, { branch, deadName, living, killAfterMs, nr });
        await recoveries.measure(stage, "root dead, another one takes over", died, living);
        await stage.pause(awayMs);
        await servers.openDatabase(dead);
        const file = lostFile(nr, dead);
        await stage.londiste(dead, ["resurrect", `--file=${file}`], killAfterMs);
        ledger.setAsideFrom(join(stage.directory, file));
        await stage.londiste(dead, ["resume"], killAfterMs);
        await stage.londiste(dead, ["resync", "--all"], killAfterMs);
      },
    };
  },
};

interface Succession {
  readonly branch: NodeKey;
  readonly deadName: string;
  readonly living: readonly NodeKey[];
  readonly killAfterMs: number | undefined;
  readonly nr: number;
}

/** Until nobody reads from the dead root. A node whose server is down meanwhile is said to be dead, so that it is left out, with a
 * warning to run it again; a branch that had come farther than the new root has to be resurrected then. */
async function takeOver(stage: Stage, succession: Succession): Promise<void> {
  const { branch, deadName, living, killAfterMs } = succession;
  let limitMs = killAfterMs;
  await waitFor(
    `all nodes to leave ${deadName}`,
    async () => {
      const limit = limitMs;
      limitMs = undefined;
      await runTakeover(stage, branch, ["takeover", deadName, "--dead-root"], limit);
      const left: NodeKey[] = [];
      for (const key of living) if (await readsFrom(stage, key, deadName)) left.push(key);
      for (const key of left) if (queueNodes.includes(key)) await resurrectAhead(stage, key, succession.nr);
      return left.length === 0;
    },
    { timeoutMs: 600_000, intervalMs: 1000 },
  );
}

/** Nodes that do not answer might have become the root: this operator knows that they have not. */
async function runTakeover(
  stage: Stage,
  branch: NodeKey,
  args: readonly string[],
  killAfterMs: number | undefined,
): Promise<void> {
  try {
    await stage.tryLondiste(branch, args, killAfterMs);
  } catch (error) {
    const switches = String(error).match(/--dead=\w+/g) ?? [];
    if (switches.length === 0) throw error;
    await stage.tryLondiste(branch, [...args, ...new Set(switches)]);
  }
}

async function readsFrom(stage: Stage, key: NodeKey, provider: string): Promise<boolean> {
  const rows = await stage.query(
    key,
    "select from pgq_node.local_state where queue_name = $1 and provider_node = $2",
    [queueName, provider],
  );
  return rows.length > 0;
}

/** @throws Error for a branch that is not ahead: the takeover takes it along */
async function resurrectAhead(stage: Stage, key: NodeKey, nr: number): Promise<void> {
  const file = lostFile(nr, key);
  await stage.tryLondiste(key, ["resurrect", `--file=${file}`]);
  stage.ledger.setAsideFrom(join(stage.directory, file));
  await stage.londiste(key, ["resume"]);
  await stage.londiste(key, ["resync", "--all"]);
}

function lostFile(nr: number, key: NodeKey): string {
  return `lost-${nr}.${key}.json`;
}
