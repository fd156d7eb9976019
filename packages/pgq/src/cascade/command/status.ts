import { type Command, type Job, printJson, type Switch, UsageError } from "@skytools/skytools";
import type { CascadeAdmin } from "../cascade-admin.ts";
import { type NodeStatus, type QueueStatus, readQueueStatus } from "../status/node-status.ts";
import { compactStatus, type StatusLook, statusTree } from "../status/status-tree.ts";

const clearScreen = "\u001b[H\u001b[2J";

/** The command `status`. Exit code 0 also when nodes fail, as scripts expect; --exit-code makes trouble count.
 * @param dead switch for nodes that are not to be asked
 * Source: spec/cascade.md section 11 */
export function statusCommand(adminOf: (job: Job) => CascadeAdmin, dead: Switch): Command {
  return {
    name: "status",
    args: "",
    summary: "show the tree of nodes with their lag, and why a node does not get on",
    switches: [
      { flags: "--compact", doc: "one line a node" },
      { flags: "--legs", doc: "show in which part of the way the lag is" },
      { flags: "--watch <seconds>", doc: "show it again and again, until Ctrl-C" },
      { flags: "--exit-code", doc: "exit with 1 when a node is unreachable, failing, paused or stuck" },
      dead,
    ],
    pidfile: "none",
    onInterrupt: "finish",
    run: async (job) => {
      const deadNodes = job.optionList("dead");
      for (const name of deadNodes) job.log.info(`Assuming node '${name}' as dead`);
      const periodMs = watchPeriodMs(job);
      for (;;) {
        const status = await readQueueStatus(adminOf(job), deadNodes);
        printStatus(job, status, periodMs !== undefined);
        if (periodMs === undefined) return job.flag("exitCode") && hasTrouble(status) ? 1 : 0;
        await job.sleep(periodMs);
        if (job.isStopping) return 0;
        // A look that has failed is shown as such; the next one is not to fail with it.
        await job.databases.rollbackAll();
        await job.databases.expire();
      }
    },
  };
}

/** The status as plain data for --json: ids as text, since they exceed what a JSON number holds. */
export function statusAsJson(status: QueueStatus): Record<string, unknown> {
  return {
    queue: status.queueName,
    localNode: status.localNode,
    nodes: status.nodes.map(nodeAsJson),
  };
}

function watchPeriodMs(job: Job): number | undefined {
  const text = job.option("watch");
  if (text === undefined) return undefined;
  if (/^\d+(\.\d+)?$/.test(text) && Number(text) > 0) return Number(text) * 1000;
  throw new UsageError(`--watch: "${text}" is not a number of seconds above 0`, { exitCode: 2 });
}

function hasTrouble({ nodes }: QueueStatus): boolean {
  return nodes.some(
    ({ type, isPaused, errors, stuckReason }) =>
      stuckReason !== null || errors.length > 0 || (isPaused === true && type !== "dead"),
  );
}

function printStatus(job: Job, status: QueueStatus, isWatched: boolean): void {
  const { stdout } = job;
  if (job.json) {
    printJson(stdout, statusAsJson(status));
    return;
  }
  const isTerminal = "isTTY" in stdout && stdout.isTTY === true;
  const failures = status.nodes
    .filter((node) => node.failure !== null)
    .map((node) => `Node '${node.nodeName}' failure: ${node.failure}\n`);
  const look: StatusLook = { isColored: isTerminal, hasLegs: job.flag("legs") };
  const tree = (job.flag("compact") ? compactStatus : statusTree)(status, look);
  stdout.write(`${isWatched && isTerminal ? clearScreen : ""}${failures.join("")}${tree}`);
  if (isWatched && !isTerminal) stdout.write("\n");
}

/** One node of it. */
export function nodeAsJson(node: NodeStatus): Record<string, unknown> {
  return {
    name: node.nodeName,
    type: node.type,
    location: node.location,
    provider: node.providerNode,
    lagSeconds: node.lagSeconds,
    legs: node.legs,
    tick: node.tickId === null ? null : String(node.tickId),
    isPaused: node.isPaused,
    isUptodate: node.isUptodate,
    attributes: Object.fromEntries(node.attributes),
    ...node.fields,
    errors: node.errors,
    failure: node.failure,
    stuckReason: node.stuckReason,
  };
}
