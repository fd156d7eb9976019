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
// end of DB
