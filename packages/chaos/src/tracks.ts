import { crashServer } from "./breakdown/crash-server.ts";
import { killCopiers } from "./breakdown/kill-copiers.ts";
import { killDaemon } from "./breakdown/kill-daemon.ts";
import type { Disturbance } from "./disturbance.ts";
import { cutConnections } from "./impediment/cut-connections.ts";
import { delayTicks } from "./impediment/delay-ticks.ts";
import { fillDisk } from "./impediment/fill-disk.ts";
import { halfOpenConnections } from "./impediment/half-open-connections.ts";
import { openTransaction } from "./impediment/open-transaction.ts";
import { silentServers } from "./impediment/silent-servers.ts";
import { changeProvider } from "./operation/change-provider.ts";
import { executeScript } from "./operation/execute-script.ts";
import { failover } from "./operation/failover.ts";
import { removeAndAddInSet } from "./operation/remove-and-add-in-set.ts";
import { removeAndAddOnNode } from "./operation/remove-and-add-on-node.ts";
import { renameNode } from "./operation/rename-node.ts";
import { resyncTables } from "./operation/resync-tables.ts";
import { switchover } from "./operation/switchover.ts";

/** Disturbances that come one after the other; the tracks run side by side, each with random numbers of its own. */
export interface Track {
  readonly name: "operation" | "breakdown" | "impediment";
  readonly disturbances: readonly Disturbance[];
  /** Longest time between two of them. */
  readonly longestPauseMs: number;
}

export const tracks: readonly Track[] = [
  {
    name: "operation",
    disturbances: [
      resyncTables,
      removeAndAddOnNode,
      removeAndAddInSet,
      executeScript,
      switchover,
      failover,
      changeProvider,
      renameNode,
    ],
    longestPauseMs: 3000,
  },
  { name: "breakdown", disturbances: [killDaemon, killCopiers, crashServer], longestPauseMs: 7000 },
  {
    name: "impediment",
    disturbances: [cutConnections, halfOpenConnections, silentServers, delayTicks, openTransaction, fillDisk],
    longestPauseMs: 7000,
  },
];
