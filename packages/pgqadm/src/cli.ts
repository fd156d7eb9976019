import { type Program, skytoolsVersion } from "@skytools/skytools";
import { configCommand } from "./command/config.ts";
import { registerCommand, unregisterCommand } from "./command/consumer.ts";
import { installCommand } from "./command/install.ts";
import { createCommand, dropCommand } from "./command/queue.ts";
import { statusCommand } from "./command/status.ts";
import { tickerCommand } from "./command/ticker.ts";

/** The pgqadm program. Source: spec/pgq-library.md A15; its commands are those of Skytools 2. */
export const pgqadm: Program = {
  service: "pgqadm",
  version: skytoolsVersion,
  summary: "installs PgQ, makes queues and consumers, and shows how they are",
  config: [
    {
      title: "pgqadm",
      keys: [
        {
          key: "db",
          type: "connstr",
          required: true,
          example: "dbname=mydb",
          doc: "the database with the queues",
        },
        {
          key: "maint_delay_min",
          type: "float",
          default: "5",
          min: 0.001,
          doc: "ticker: minutes between maintenance rounds",
        },
        {
          key: "retry_delay",
          type: "float",
          default: "30",
          min: 0.001,
          doc: "ticker: seconds between passes over the retry queue",
        },
      ],
    },
  ],
  switches: [],
  commands: [
    installCommand,
    tickerCommand,
    statusCommand,
    createCommand,
    dropCommand,
    registerCommand,
    unregisterCommand,
    configCommand,
  ],
};
