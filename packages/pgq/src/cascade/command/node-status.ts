import type { Command, Job } from "@skytools/skytools";
import { printJson } from "@skytools/skytools";
import type { CascadeAdmin } from "../cascade-admin.ts";
import { openLocal, requireLocalNode } from "../node-connection.ts";
import { getSubscriberInfo } from "../pgq-node-api.ts";
import { readQueueStatus } from "../status/node-status.ts";
import { infoLines, nodeTitle } from "../status/status-tree.ts";
import { nodeAsJson } from "./status.ts";

/** The command `node-status`: the local node as it stands in the tree, with those who read from it.
 * Source: spec/cascade.md 9.9 */
export function nodeStatusCommand(adminOf: (job: Job) => CascadeAdmin): Command {
  return {
    name: "node-status",
    args: "",
    summary: "show the local node's place in the tree, its lag and its subscribers",
    pidfile: "none",
    run: async (job) => {
      const admin = adminOf(job);
      const local = await openLocal(admin);
      const here = await requireLocalNode(admin, local);
      const subscribers = await getSubscriberInfo(local, admin.queueName);
      await local.commit();
      const { nodes } = await readQueueStatus(admin);
      const status = nodes.find(({ nodeName }) => nodeName === here.nodeName)!;
      const names = subscribers.map(({ nodeName }) => nodeName);
      if (job.json) {
        printJson(job.stdout, { ...nodeAsJson(status), subscribers: names });
        return;
      }
      const lines = [
        `Provider: ${here.providerNode}`,
        `Subscribers: ${names.join(", ")}`,
        ...infoLines(status, { isColored: false, hasLegs: false }),
      ];
      job.stdout.write(`${nodeTitle(status)}\n${lines.map((line) => `    ${line}\n`).join("")}`);
    },
  };
}
