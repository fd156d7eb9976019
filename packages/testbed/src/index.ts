export { addCertificates, certificateDirectory } from "./certificates.ts";
export { Cluster, type ClusterOptions, prepareCluster, type StopMode, startCluster } from "./cluster.ts";
export { exitOnSignal } from "./exit-on-signal.ts";
export { type Exploration, explore, type Move } from "./explore.ts";
export { freePort } from "./free-port.ts";
export { type FuzzedParser, fuzzParser, fuzzRuns } from "./fuzz-parser.ts";
export { type MemoryLog, memoryLog } from "./memory-log.ts";
export {
  commandPath,
  type ProgramOptions,
  type ProgramResult,
  RunningProgram,
  runProgram,
  startProgram,
} from "./program.ts";
export { RandomSource } from "./random-source.ts";
export { keepRunDirectory, runDirectory } from "./run-directory.ts";
export { TcpProxy } from "./tcp-proxy.ts";
export { moduleDatabase, moduleSql } from "./template-database.ts";
export { type TemporaryDirectory, temporaryDirectory } from "./temporary-directory.ts";
export { type WaitOptions, waitFor } from "./wait-for.ts";
