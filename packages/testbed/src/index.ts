export { Cluster, type ClusterOptions, type StopMode, startCluster } from "./cluster.ts";
export {
  type ProgramOptions,
  type ProgramResult,
  RunningProgram,
  runProgram,
  startProgram,
} from "./program.ts";
export { keepRunDirectory, runDirectory } from "./run-directory.ts";
export { TcpProxy } from "./tcp-proxy.ts";
export { moduleDatabase } from "./template-database.ts";
export { type TemporaryDirectory, temporaryDirectory } from "./temporary-directory.ts";
export { type WaitOptions, waitFor } from "./wait-for.ts";
