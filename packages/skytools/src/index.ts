// SCRIPT: errors, configuration, programs, log
export {
  ConfigError,
  type ConfigErrorOptions,
  DatabaseError,
  type DatabaseErrorOptions,
  type RetryClass,
  SkytoolsError,
  type SkytoolsErrorOptions,
  UsageError,
} from "./errors.ts";
// end of SCRIPT

// DB: databases, quoting, table structure, terminal
export { classifyError, classifySqlState } from "./db/classify-error.ts";
export {
  type ConnectParameters,
  type ConnectTarget,
  describeConnectString,
  parseConnectString,
} from "./db/connect-parameters.ts";
export {
  formatConnectString,
  maskConnectString,
  mergeConnectString,
  parseConnectPairs,
} from "./db/connect-string.ts";
export type { CopyInStream } from "./db/copy-in.ts";
export type { CopyOutStream } from "./db/copy-out.ts";
export { type PipeCopyOptions, pipeCopy } from "./db/copy-pipe.ts";
export { Database, type DatabaseOptions, type Isolation } from "./db/database.ts";
export { databaseError, shortenQuery } from "./db/database-error.ts";
export type { Notice } from "./db/notices.ts";
export { quoteLiteral } from "./quoting/quote-literal.ts";
// end of DB
