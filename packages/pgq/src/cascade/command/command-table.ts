import {
  type Command,
  dryRunSwitch,
  type Job,
  maskConnectString,
  printJson,
  renderTable,
  type Switch,
} from "@skytools/skytools";
import type { CascadeAdmin } from "../cascade-admin.ts";
import { timeoutSeconds } from "../plan/planned-command.ts";
import { createBranch } from "./create-branch.ts";
import { createLeaf } from "./create-leaf.ts";
import { createRoot } from "./create-root.ts";
import { listMembers } from "./members.ts";
import type { NodeCreation } from "./node-creation.ts";
import { describeNode, nodeInfoLines } from "./node-info.ts";
import { nodeStatusCommand } from "./node-status.ts";
import { pauseConsumer } from "./pause.ts";
import { plannedCommands } from "./planned-commands.ts";
import { resumeConsumer } from "./resume.ts";
import { type NodeConsumers, showConsumers } from "./show-consumers.ts";
import { statusCommand } from "./status.ts";
import { consumerSwitch, deadSwitch, nodeSwitch } from "./switches.ts";
import { waitProvider } from "./wait-provider.ts";
import { waitRoot } from "./wait-root.ts";

const defaultAnswerSeconds = "60";

const nocheck: Switch = {
  flags: "--nocheck",
  doc: "do not look whether the public connect string reaches this database",
};
const provider: Switch = {
  flags: "--provider <connstr>",
  doc: "connect string of the node to read from",
};
const merge: Switch = {
  flags: "--merge <queue>",
  doc: "queue of this database into which the leaf's events go",
};
const syncWatermark: Switch = {
  flags: "--sync-watermark <nodes>",
  doc: "nodes, with commas between, that keep their event tables in step",
};
const answerTimeout: Switch = {
  flags: "--timeout <seconds>",
  doc: "how long to wait for the worker's answer; 0: no limit",
  default: defaultAnswerSeconds,
};
const waitTimeout: Switch = {
  flags: "--timeout <seconds>",
  doc: "give up after this time, with exit code 1; 0: no limit",
  default: "0",
};

/** The commands that every cascaded program has; a program adds them to its own.
 * @param adminOf says how this program takes part in the cascade
 * Source: spec/cascade.md section 9 */
export function cascadeCommands(adminOf: (job: Job) => CascadeAdmin): Command[] {
  const creating = (
    name: string,
    summary: string,
    switches: readonly Switch[],
    create: (admin: CascadeAdmin, options: Omit<NodeCreation, "type">) => ReturnType<typeof createRoot>,
  ): Command => ({
    name,
    args: "[NAME] [CONNSTR]",
    summary,
    switches: [...switches, dryRunSwitch],
    pidfile: "admin",
    run: async (job) => {
      const created = await create(adminOf(job), {
        name: job.args[0],
        location: job.args[1],
        provider: switches.includes(provider) ? job.option("provider") : undefined,
        combinedQueue: switches.includes(merge) ? job.option("merge") : undefined,
        syncWatermark: switches.includes(syncWatermark) ? job.option("syncWatermark") : undefined,
        isLocationChecked: !job.flag("nocheck"),
      });
      if (!job.json || created === undefined) return;
      const { nodeName, nodeType, queueName, workerName } = created.node;
      printJson(job.stdout, {
        node: nodeName,
        type: nodeType,
        queue: queueName,
        worker: workerName,
        isNew: created.isNew,
      });
    },
  });
  const namedNode = (job: Job): CascadeAdmin => ({ ...adminOf(job), nodeName: job.option("node") });
  const namedConsumer = (job: Job): CascadeAdmin => ({
    ...adminOf(job),
    nodeName: job.option("node"),
    consumerName: job.option("consumer"),
  });
  return [
    creating("create-root", "make this database the root of the queue", [nocheck], createRoot),
    creating(
      "create-branch",
      "make this database a branch: data and a copy of the queue",
      [provider, syncWatermark, nocheck],
      createBranch,
    ),
    creating("create-leaf", "make this database a leaf: data only", [provider, merge, nocheck], createLeaf),
    ...plannedCommands(adminOf),
    statusCommand(adminOf, deadSwitch),
    nodeStatusCommand(adminOf),
    {
      name: "members",
      args: "",
      summary: "list the nodes of the set",
      pidfile: "none",
      run: async (job) => printMembers(job, adminOf(job)),
    },
    {
      name: "show-consumers",
      args: "",
      summary: "list the cascaded consumers of a node",
      switches: [nodeSwitch],
      pidfile: "none",
      run: async (job) => printConsumers(job, await showConsumers(namedNode(job))),
    },
    {
      name: "node-info",
      args: "",
      summary: "show the local node",
      pidfile: "none",
      run: async (job) => printNodeInfo(job, adminOf(job)),
    },
    {
      name: "pause",
      args: "",
      summary: "stop the worker from taking batches",
      switches: [answerTimeout, nodeSwitch, consumerSwitch, dryRunSwitch],
      pidfile: "admin",
      run: async (job) => {
        const paused = await pauseConsumer(namedConsumer(job), timeoutSeconds(job));
        if (job.json) printJson(job.stdout, paused);
      },
    },
    {
      name: "resume",
      args: "",
      summary: "let a paused worker go on",
      switches: [answerTimeout, nodeSwitch, consumerSwitch, dryRunSwitch],
      pidfile: "admin",
      run: async (job) => {
        const resumed = await resumeConsumer(namedConsumer(job), timeoutSeconds(job));
        if (job.json) printJson(job.stdout, resumed);
      },
    },
    {
      name: "wait-root",
      args: "",
      summary: "wait until this node has what the root has now; --timeout limits the wait",
      switches: [waitTimeout],
      pidfile: "none",
      run: async (job) => {
        printReached(job, await waitRoot(adminOf(job), timeoutSeconds(job)));
      },
    },
    {
      name: "wait-provider",
      args: "",
      summary: "wait until this node has what its provider has now; --timeout limits the wait",
      switches: [waitTimeout],
      pidfile: "none",
      run: async (job) => {
        printReached(job, await waitProvider(adminOf(job), timeoutSeconds(job)));
      },
    },
  ];
}

/** @param tick undefined: there was nothing to wait for */
function printReached(job: Job, tick: bigint | undefined): void {
  if (job.json) printJson(job.stdout, { tick: tick === undefined ? null : String(tick) });
}

async function printMembers(job: Job, admin: CascadeAdmin): Promise<void> {
  const { nodeName, queueName, members } = await listMembers(admin);
  if (job.json) {
    const shown = members.map((member) => ({ ...member, location: maskConnectString(member.location) }));
    printJson(job.stdout, { queue: queueName, node: nodeName, members: shown });
    return;
  }
  const rows = members.map((member) => ({
    node_name: member.nodeName,
    dead: member.isDead ? "True" : "False",
    node_location: maskConnectString(member.location),
  }));
  job.stdout.write(
    renderTable(rows, {
      title: `Member info on ${nodeName}@${queueName}:`,
      columns: ["node_name", "dead", "node_location"],
    }),
  );
}

function printConsumers(job: Job, { nodeName, queueName, workerName, consumers }: NodeConsumers): void {
  if (job.json) {
    const shown = consumers.map((consumer) => ({ ...consumer, lastTick: String(consumer.lastTick) }));
    printJson(job.stdout, { queue: queueName, node: nodeName, worker: workerName, consumers: shown });
    return;
  }
  const boolean = (value: unknown) => (value === true ? "True" : "False");
  job.stdout.write(
    renderTable(consumers, {
      title: `Consumers of ${nodeName}@${queueName}:`,
      columns: [
        { key: "consumerName", title: "consumer_name" },
        { key: "providerNode", title: "provider_node" },
        { key: "lastTick", title: "last_tick_id" },
        { key: "isPaused", title: "paused", format: boolean },
        { key: "isUptodate", title: "uptodate", format: boolean },
        {
          key: "currentError",
          title: "cur_error",
          format: (value) => (value === null ? "None" : String(value)),
        },
      ],
    }),
  );
}

async function printNodeInfo(job: Job, admin: CascadeAdmin): Promise<void> {
  const description = await describeNode(admin);
  if (!job.json) {
    job.stdout.write(`${nodeInfoLines(description).join("\n")}\n`);
    return;
  }
  const { node, isDead, localLocation, publicLocation } = description;
  printJson(job.stdout, {
    node: node.nodeName,
    type: node.nodeType,
    queue: node.queueName,
    worker: node.workerName,
    provider: node.providerNode,
    isDead,
    isPaused: node.isWorkerPaused,
    isUptodate: node.isWorkerUptodate,
    lastTick: String(node.workerLastTick),
    localLocation,
    publicLocation,
    attributes: Object.fromEntries(node.attributes),
  });
}
