import { readFileSync } from "node:fs";
import type { Program } from "@skytools/skytools";
import { generateSystemdCommand } from "./command/generate-systemd.ts";
import { listCommand } from "./command/list.ts";
import { reloadCommand } from "./command/reload.ts";
import { restartCommand } from "./command/restart.ts";
import { startCommand } from "./command/start.ts";
import { statusCommand } from "./command/status.ts";
import { stopCommand } from "./command/stop.ts";

const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  readonly version: string;
};

/** The scriptmgr3 program. Source: spec/scripts.md 1 */
export const scriptmgr: Program = {
  service: "scriptmgr",
  version: manifest.version,
  summary: "starts, stops and watches sets of daemons",
  config: [
    {
      title: "scriptmgr",
      keys: [
        {
          key: "config_list",
          type: "list",
          required: true,
          template: "live",
          example: "/etc/skytools/*.ini",
          doc: "patterns of the configuration files of jobs",
        },
      ],
    },
  ],
  switches: [
    { flags: "-a, --all", doc: "all jobs" },
    { flags: "-t, --type <service>", doc: "all jobs of a service" },
    { flags: "-w, --wait", doc: "wait until jobs have ended" },
    { flags: "--timeout <seconds>", doc: "how long to wait for one job", default: "60" },
    { flags: "--parallel <jobs>", doc: "how many jobs are handled at once", default: "8" },
  ],
  commands: [
    statusCommand,
    startCommand,
    stopCommand,
    restartCommand,
    reloadCommand,
    listCommand,
    generateSystemdCommand,
  ],
};
