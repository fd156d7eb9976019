import { readFileSync } from "node:fs";
import { cascadeCommands, cascadeConfig } from "@skytools/pgq/cascade";
import type { Program } from "@skytools/skytools";
import { addTableCommand } from "./command/add-table.ts";
import { changeHandlerCommand } from "./command/change-handler.ts";
import { checkCommand } from "./command/check.ts";
import { compareCommand } from "./command/compare.ts";
import { copierCommand } from "./command/copier.ts";
import { copyCommand } from "./command/copy.ts";
import { executeCommand } from "./command/execute.ts";
import { foreignKeysCommand } from "./command/fkeys.ts";
import { missingCommand } from "./command/missing.ts";
import { removeTableCommand } from "./command/remove-table.ts";
import { repairCommand } from "./command/repair.ts";
import { resyncCommand } from "./command/resync.ts";
import { addSequenceCommand, removeSequenceCommand, sequencesCommand } from "./command/sequences.ts";
import { showHandlersCommand } from "./command/show-handlers.ts";
import { tablesCommand } from "./command/tables.ts";
import { waitSyncCommand } from "./command/wait-sync.ts";
import { workerCommand } from "./command/worker.ts";
import { londisteConfig } from "./londiste-config.ts";
import { londisteAdmin } from "./table/cascade-admin.ts";

const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  readonly version: string;
};

/** The londiste3 program. */
export const londiste: Program = {
  service: "londiste3",
  sectionAliases: ["londiste"],
  version: manifest.version,
  summary: "replicates tables and sequences between databases, over PgQ",
  config: [londisteConfig, cascadeConfig],
  switches: [],
  commands: [
    ...cascadeCommands(londisteAdmin),
    workerCommand,
    addTableCommand,
    removeTableCommand,
    changeHandlerCommand,
    resyncCommand,
    waitSyncCommand,
    tablesCommand,
    addSequenceCommand,
    removeSequenceCommand,
    sequencesCommand,
    missingCommand,
    executeCommand,
    compareCommand,
    repairCommand,
    checkCommand,
    foreignKeysCommand,
    showHandlersCommand,
    copyCommand,
    copierCommand,
  ],
};
