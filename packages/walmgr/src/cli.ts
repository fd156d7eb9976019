import { readFileSync } from "node:fs";
import type { Program } from "@skytools/skytools";
import { backupCommand } from "./command/backup.ts";
import { bootCommand } from "./command/boot.ts";
import { listbackupsCommand } from "./command/listbackups.ts";
import { restoreCommandEntry } from "./command/restore.ts";
import { setupCommand } from "./command/setup.ts";
import { syncdaemonCommand } from "./command/syncdaemon.ts";
import { xarchiveCommand } from "./command/xarchive.ts";
import { xrestoreCommand } from "./command/xrestore.ts";
import { xserveCommand } from "./command/xserve.ts";
import { walmgrConfig } from "./walmgr-config.ts";

const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  readonly version: string;
};

/** The walmgr program. */
export const walmgr: Program = {
  service: "walmgr",
  sectionAliases: ["wal-master", "wal-slave"],
  version: manifest.version,
  summary: "archives WAL, takes base backups, and manages standby servers",
  config: walmgrConfig,
  switches: [],
  commands: [
    setupCommand,
    backupCommand,
    restoreCommandEntry,
    bootCommand,
    listbackupsCommand,
    syncdaemonCommand,
    xarchiveCommand,
    xrestoreCommand,
    xserveCommand,
  ],
};
