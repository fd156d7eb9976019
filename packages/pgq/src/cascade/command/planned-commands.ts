import { type Command, dryRunSwitch, type Job, type Switch, UsageError } from "@skytools/skytools";
import type { CascadeAdmin } from "../cascade-admin.ts";
import { type PlannedRun, timeoutSeconds } from "../plan/planned-command.ts";
import { changeLocation } from "./change-location.ts";
import { changeProvider } from "./change-provider.ts";
import { dropCascadeNode } from "./drop-node.ts";
import { renameCascadeNode } from "./rename-node.ts";
import { resurrect } from "./resurrect.ts";
import { consumerSwitch, deadSwitch, nodeSwitch } from "./switches.ts";
import { tagNode } from "./tag.ts";
import { takeover } from "./takeover.ts";

const answerTimeout: Switch = {
  flags: "--timeout <seconds>",
  doc: "how long to wait for each answer of a worker; 0: no limit",
  default: "60",
};

/** The commands that change the set by a plan: each looks first, prints its steps with --dry-run, and goes on from where it was
 * interrupted when it is run again. */
export function plannedCommands(adminOf: (job: Job) => CascadeAdmin): Command[] {
  const planned = (
    name: string,
    args: string,
    summary: string,
    switches: readonly Switch[],
    run: (admin: CascadeAdmin, job: Job, how: PlannedRun) => Promise<void>,
  ): Command => ({
    name,
    args,
    summary,
    switches: [...switches, deadSwitch, answerTimeout, dryRunSwitch],
    pidfile: "admin",
    onInterrupt: "finish",
    run: async (job) => {
      const how = { timeoutSeconds: timeoutSeconds(job), deadNodes: job.optionList("dead") };
      await run(adminOf(job), job, how);
    },
  });
  return [
    planned(
      "change-provider",
      "",
      "read from another node",
      [{ flags: "--provider <node>", doc: "name of the node to read from" }, nodeSwitch, consumerSwitch],
      (admin, job, how) => {
        const provider = job.option("provider");
        if (provider === undefined) throw new UsageError("Please give --provider");
        return changeProvider(
          { ...admin, nodeName: job.option("node"), consumerName: job.option("consumer") },
          provider,
          how,
        );
      },
    ),
    planned(
      "takeover",
      "OLD_NODE",
      "take the place of another node: of the root (switchover, failover) or of a branch",
      [
        { flags: "--target <node>", doc: "the node that takes over. Default: the local node" },
        { flags: "--all", doc: "move the other subscribers of the old node too" },
        { flags: "--dead-root", doc: "the old node is a root that is dead; implies --all" },
        { flags: "--dead-branch", doc: "the old node is a branch that is dead; implies --all" },
        { flags: "--force", doc: "take over although the application finds its tables not in order" },
        {
          flags: "--leave-ahead",
          doc: "with --dead-root: do not compare leafs that are ahead of all branches, leave them as they are",
        },
        { flags: "--undo", doc: "give up an interrupted takeover of a live root that is not promoted yet" },
        { flags: "--node <name>", doc: "the same as --target" },
      ],
      (admin, job, how) =>
        takeover(
          admin,
          {
            oldName: job.args[0]!,
            takerName: job.option("target") ?? job.option("node"),
            isAll: job.flag("all"),
            isDeadRoot: job.flag("deadRoot"),
            isDeadBranch: job.flag("deadBranch"),
            isUndo: job.flag("undo"),
            isForced: job.flag("force"),
            leavesAhead: job.flag("leaveAhead"),
          },
          how,
        ),
    ),
    planned(
      "resurrect",
      "",
      "bring a former root, declared dead and back again, or a branch that a takeover left behind, into the set as a paused branch",
      [
        {
          flags: "--file <path>",
          doc: "where events go that only this node has",
          default: "resurrect-lost-events.json",
        },
        { flags: "--requeue", doc: "put those events into the queue of the new root too, under new ids" },
      ],
      (admin, job, how) =>
        resurrect(admin, { dumpFile: job.option("file")!, isMerging: job.flag("requeue") }, how),
    ),
    planned("drop-node", "NAME", "remove a node from the set", [], (admin, job, how) =>
      dropCascadeNode(admin, job.args[0]!, how),
    ),
    planned("rename-node", "OLD NEW", "give a node another name", [], (admin, job, how) =>
      renameCascadeNode(admin, { oldName: job.args[0]!, newName: job.args[1]! }, how),
    ),
    planned(
      "change-location",
      "NODE CONNSTR",
      "tell all nodes the connect string under which a node is reached now",
      [{ flags: "--nocheck", doc: "do not look whether that node is there" }],
      (admin, job, how) =>
        changeLocation(
          admin,
          { nodeName: job.args[0]!, location: job.args[1]!, isChecked: !job.flag("nocheck") },
          how,
        ),
    ),
    planned(
      "tag-dead",
      "NODE",
      "declare a node dead: nobody connects to it any more",
      [],
      (admin, job, how) => tagNode(admin, job.args[0]!, true, how),
    ),
    planned("tag-alive", "NODE", "take tag-dead back", [], (admin, job, how) =>
      tagNode(admin, job.args[0]!, false, how),
    ),
  ];
}
