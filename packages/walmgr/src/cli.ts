import { readFileSync } from "node:fs";
import type { Program } from "@skytools/skytools";
import { backupCommand } from "./command/backup.ts";
import { bootCommand } from "./command/boot.ts";
import { checkCommand } from "./command/check.ts";
import { cleanupCommand } from "./command/cleanup.ts";
import { continueCommand } from "./command/continue.ts";
import { createslaveCommand } from "./command/createslave.ts";
import { expireCommand } from "./command/expire.ts";
import { listbackupsCommand } from "./command/listbackups.ts";
import { pauseCommand } from "./command/pause.ts";
import { periodicCommand } from "./command/periodic.ts";
import { rejoinCommand } from "./command/rejoin.ts";
import { restoreCommand } from "./command/restore.ts";
import { setupCommand } from "./command/setup.ts";
import { statusCommand } from "./command/status.ts";
import { stopCommand } from "./command/stop.ts";
import { syncCommand } from "./command/sync.ts";
import { syncdaemonCommand } from "./command/syncdaemon.ts";
import { synchStandbyCommand } from "./command/synch-standby.ts";
import { verifyCommand } from "./command/verify.ts";
import { xarchiveCommand } from "./command/xarchive.ts";
import { xlockCommand } from "./command/xlock.ts";
import { xpartialsyncCommand } from "./command/xpartialsync.ts";
import { xpurgewalsCommand } from "./command/xpurgewals.ts";
import { xreleaseCommand } from "./command/xrelease.ts";
import { xrestoreCommand } from "./command/xrestore.ts";
import { xrotateCommand } from "./command/xrotate.ts";
import { xserveCommand } from "./command/xserve.ts";
import { dryRunSwitches } from "./place/dry-run.ts";
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
  helpEnd: "Use walmgr --init-master --help for writing the configuration files.",
  config: walmgrConfig,
  switches: dryRunSwitches,
  commands: [
    setupCommand,
    stopCommand,
    backupCommand,
    listbackupsCommand,
    restoreCommand,
    bootCommand,
    rejoinCommand,
    createslaveCommand,
    pauseCommand,
    continueCommand,
    syncCommand,
    syncdaemonCommand,
    synchStandbyCommand,
    periodicCommand,
    statusCommand,
    checkCommand,
    verifyCommand,
    expireCommand,
    cleanupCommand,
    xarchiveCommand,
    xrestoreCommand,
    xlockCommand,
    xreleaseCommand,
    xrotateCommand,
    xpurgewalsCommand,
    xpartialsyncCommand,
    xserveCommand,
  ],
};
