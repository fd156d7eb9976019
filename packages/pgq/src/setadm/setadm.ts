import { readFileSync } from "node:fs";
import { type Command, dryRunSwitch, type Job, type Program, UsageError } from "@skytools/skytools";
import { installedVersion, installModules } from "@skytools/sql";
import type { CascadeAdmin } from "../cascade/cascade-admin.ts";
import { cascadeConfig } from "../cascade/cascade-config.ts";
import { cascadeCommands } from "../cascade/command/command-table.ts";
import { configuredQueue } from "../consumer/configured.ts";
import { leaveToLondiste } from "./londiste-set.ts";

const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  readonly version: string;
};

const modules = ["pgq", "pgq_node"] as const;

const install: Command = {
  name: "install",
  args: "",
  summary: "install the SQL modules of cascaded queues into the local database",
  pidfile: "admin",
  switches: [dryRunSwitch],
  run: async (job) => {
    const db = await job.databases.get("node_db");
    if (job.isDryRun) {
      for (const module of modules) {
        const version = await installedVersion(db, module);
        job.stdout.write(`install module ${module}${version === undefined ? "" : ` over ${version}`}\n`);
      }
      await db.commit();
      return;
    }
    await installModules(db, [...modules], job.log);
    await db.commit();
  },
};

/** The setadm3 program: the commands of cascaded queues without an application on top.
 * Source: spec/cascade.md section 9 */
export const setadm: Program = {
  service: "setadm3",
  sectionAliases: ["setadm", "cascade_admin"],
  version: manifest.version,
  summary: "creates, shows and changes the nodes of a cascaded queue",
  config: [
    {
      title: "setadm",
      keys: [
        {
          key: "node_db",
          type: "connstr",
          required: true,
          template: "live",
          example: "dbname=mydb host=127.0.0.1",
          doc: "connect string of the local database",
        },
      ],
    },
    cascadeConfig,
  ],
  switches: [
    { flags: "--queue <name>", doc: "instead of queue_name of the configuration" },
    { flags: "--worker <name>", doc: "create-*: consumer name of the node's worker" },
  ],
  commands: [...cascadeCommands(setadmOf).map((command) => leaveToLondiste(command, queueOf)), install],
};

function queueOf(job: Job): string {
  return job.option("queue") ?? configuredQueue(job.config);
}

function setadmOf(job: Job): CascadeAdmin {
  return {
    job,
    queueName: queueOf(job),
    databaseKey: "node_db",
    workerName: workerName(job),
    modules,
  };
}

/** The worker is another program, so its name has to be given. */
function workerName(job: Job): string {
  const { config } = job;
  const name =
    job.option("worker") ?? (config.getOr("pgq_consumer_id", "") || config.getOr("consumer_name", ""));
  if (name === "" && job.command?.startsWith("create-") === true) {
    throw new UsageError("--worker required", {
      hint: "It is the name (consumer_name, or job_name) of the program that will maintain the node.",
    });
  }
  return name;
}
