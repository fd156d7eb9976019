import { type Cluster, startCluster } from "@skytools/testbed";
import { originalPgqBinDir } from "./peer/original-pgq.ts";

/** Settings of a server that is measured: the same for every contestant, close to what a careful admin runs, and
 * without the noise of checkpoints in the middle of a run. */
const settings = {
  shared_buffers: "512MB",
  max_wal_size: "8GB",
  checkpoint_timeout: "1h",
  wal_level: "logical",
  max_connections: "100",
  autovacuum_naptime: "10min",
  // who sends many statements would pay for the log, not for its work
  log_statement: "none",
};

/** A server for a bench. With `preferOriginal` it is the one that can also load the original PgQ, if installed. */
export function benchServer(options: { preferOriginal?: boolean } = {}): Promise<Cluster> {
  const binDir = options.preferOriginal ? originalPgqBinDir() : undefined;
  return startCluster({ settings, ...(binDir === undefined ? {} : { binDir }) });
}
