import { Database, formatConnectString, mergeConnectString } from "@skytools/skytools";
import type { Counters } from "./counters.ts";
import type { DaemonLog } from "./daemon-log.ts";
import { logName } from "./log-name.ts";
import type { Settings } from "./settings.ts";

/** What all parts of the daemon share. `settings` changes when the file is read again. */
export interface DaemonContext {
  settings: Settings;
  readonly log: DaemonLog;
  readonly counters: Counters;
  /** a database turned out to be missing: look at the list again soon */
  databaseIsMissing(): void;
}

const connectTimeoutMs = 30_000;

/** Connects to one database, every statement a transaction of its own. What the server says on the side is logged. */
export async function openDatabase(context: DaemonContext, databaseName: string): Promise<Database> {
  const { log, settings } = context;
  const connstr = mergeConnectString(
    settings.baseConnstr,
    formatConnectString(new Map([["dbname", databaseName]])),
  );
  const hasTimeout = /\bconnect_timeout\b/.test(settings.baseConnstr);
  return Database.open(connstr, {
    autocommit: true,
    applicationName: "pgqd",
    ...(hasTimeout ? {} : { connectTimeoutMs }),
    onWarning: (message) => log.warning(`${logName(databaseName)}: ${message}`),
    onNotice: (notice) => {
      const line = `${logName(databaseName)}: ${notice.severity}: ${notice.message}`;
      if (notice.severity === "WARNING") log.warning(line);
      else log.debug(line);
    },
  });
}
