// First: before the driver is loaded.
import "./db/navigator.ts";

// SCRIPT: errors, configuration, programs, log
export type { ConfigFindings } from "./config/check-config.ts";
export { Config, type ConfigOptions } from "./config/config.ts";
export type { ConfigGroup, ConfigKey, ConfigType } from "./config/config-key.ts";
export { expandHome } from "./config/home-directory.ts";
export { type IniEntry, type IniFile, type IniSection, parseIni, readIniFile } from "./config/ini-reader.ts";
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
export { isJournalStream } from "./log/journal.ts";
export type { Log, LogFields, LogLevel } from "./log/log.ts";
export { Syslog, type SyslogOptions, syslogFacilities } from "./log/syslog.ts";
export { crashPoint } from "./script/crash-point.ts";
export { DaemonChild, daemonize } from "./script/daemonize.ts";
export type {
  CommandDescription,
  ConfigGroupDescription,
  ProgramDescription,
  SwitchDescription,
} from "./script/describe-program.ts";
export { type ExecuteWithRetryOptions, executeWithRetry } from "./script/execute-with-retry.ts";
export { databaseConfig, frameworkConfig } from "./script/framework-config.ts";
export { GrowingPause } from "./script/growing-pause.ts";
export type { Job } from "./script/job.ts";
export { checkPidfile, Pidfile, type PidfileState, probePidfile, signalPidfile } from "./script/pidfile.ts";
export { processBegin } from "./script/process-begin.ts";
export {
  type Command,
  dryRunSwitch,
  type LoopBody,
  type Program,
  type StartupSwitch,
  type Switch,
} from "./script/program.ts";
export { runProgram } from "./script/run-program.ts";
export { createJob, type JobOptions } from "./script/running-job.ts";
export { environmentWithoutPassword, hideSecretsOfCommandLine } from "./script/secrets-of-process.ts";
export { ServiceNotifier } from "./script/service-notifier.ts";
export { SideJob } from "./script/side-job.ts";
export { Statistics } from "./script/statistics.ts";
export { skytoolsVersion } from "./version.ts";

// end of SCRIPT

export { nearestName } from "./config/nearest-name.ts";
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
  isSecretConnectKey,
  maskConnectString,
  mergeConnectString,
  parseConnectPairs,
} from "./db/connect-string.ts";
export type { CopyInStream } from "./db/copy-in.ts";
export type { CopyOutStream } from "./db/copy-out.ts";
export { type PipeCopyOptions, type PipeCopyResult, pipeCopy } from "./db/copy-pipe.ts";
export { CopyRowSplitter, readCopyRows, rewriteCopyRows } from "./db/copy-rows.ts";
export type { RawRow } from "./db/cursor-fetch.ts";
export { Database, type DatabaseOptions, type Isolation, type Notification } from "./db/database.ts";
export { databaseError, shortenQuery } from "./db/database-error.ts";
export {
  type DatabaseDefaults,
  Databases,
  type DatabasesOptions,
  type GetDatabaseOptions,
} from "./db/databases.ts";
export { type InsertedRow, type InsertRowsOptions, insertRows } from "./db/insert-rows.ts";
export type { Notice } from "./db/notices.ts";
export {
  ReplicationConnection,
  type ReplicationOptions,
  type ReplicationReceiver,
  type ReplicationRow,
} from "./db/replication-connection.ts";
export {
  type ExecCommandOptions,
  execCommand,
  execCommandMany,
  ReturnCodeError,
  type ReturnCodeRow,
} from "./db/ret-code.ts";
export type { StatementOutcome } from "./db/session.ts";
export { Snapshot } from "./db/snapshot.ts";
export { meaningOfSqlState, type SqlStateMeaning } from "./db/sql-state.ts";
export type { TextColumn, TextReceiver } from "./db/text-query.ts";
export {
  appendNamedFileSync,
  copyNamedFileSync,
  copyTree,
  createDirectory,
  createDirectorySync,
  createSymlinkSync,
  openToWrite,
  openToWriteSync,
  removeEmptyDirectory,
  removePath,
  removePathSync,
  setMode,
  setModeSync,
  setTimesSync,
  writeNamedFile,
  writeNamedFileSync,
} from "./files/change-files.ts";
export { DraftFile, syncDirectory } from "./files/draft-file.ts";
export type { OpenFile, OpenFileSync } from "./files/open-file.ts";
export { linkFile, linkFileSync, renameFile, renameFileSync } from "./files/take-name.ts";
export { type WriteAtomicallyOptions, writeAtomically } from "./files/write-atomically.ts";
export { copyRow, parseCopyRow, quoteByteaCopy, quoteCopy, unescapeCopy } from "./quoting/copy-text.ts";
export { type ArrayItem, makePgArray, parsePgArray } from "./quoting/pg-array.ts";
export {
  foldName,
  fqName,
  quoteFqIdent,
  quoteIdent,
  splitFqName,
  unquoteFqIdent,
  unquoteIdent,
} from "./quoting/quote-ident.ts";
export { quoteJson } from "./quoting/quote-json.ts";
export { quoteByteaLiteral, quoteLiteral, quoteStatement, unquoteLiteral } from "./quoting/quote-literal.ts";
export { unescapeC } from "./quoting/unescape.ts";
export { urlDecode, urlDecodeRow, urlEncode, urlEncodeRow } from "./quoting/url-encoding.ts";
export { whyNotBetweenParentheses } from "./sql/between-parentheses.ts";
export { type PartialSqlRow, parsePartialSql } from "./sql/partial-sql.ts";
export { QueryBuilder, type QueryValues } from "./sql/query-builder.ts";
export { deleteRowSql, insertRowSql, type RowValues, updateRowSql } from "./sql/row-statements.ts";
export { splitStatements } from "./sql/split-statements.ts";
export { type SqlToken, type SqlTokenKind, type SqlTokensOptions, sqlTokens } from "./sql/sql-tokens.ts";
export { type OpenEnd, type ScannedStatement, StatementScanner } from "./sql/statement-scanner.ts";
export { createPolicySql, grantSql, knownGrants, revokeSql } from "./structure/access-sql.ts";
export { type CreateTableOptions, createTableSql, dropTableSql } from "./structure/create-table.ts";
export {
  droppableObjects,
  foreignKeyObject,
  type TableObject,
  triggerObject,
} from "./structure/drop-restore.ts";
export { freshIndexNames } from "./structure/fresh-names.ts";
export { addForeignKeySql } from "./structure/relation-sql.ts";
export { type SequencePart, SequenceStructure } from "./structure/sequence-structure.ts";
export { allParts, basicParts, fullParts, type TablePart } from "./structure/table-part.ts";
export type {
  EnableMode,
  ForeignKey,
  OwnedSequence,
  TableColumn,
  TableConstraint,
  TableGrant,
  TableIndex,
  TablePolicy,
  TableRule,
  TableStatistics,
  TableTrigger,
} from "./structure/table-parts.ts";
export { type TableKind, TableStructure } from "./structure/table-structure.ts";
export { createRuleSql, createTriggerSql } from "./structure/trigger-sql.ts";
export { formatBytes, formatCount, formatDuration, formatRate } from "./terminal/format.ts";
export { printJson, toJson } from "./terminal/json.ts";
export { ProgressDisplay, type ProgressDisplayOptions, type ProgressTracker } from "./terminal/progress.ts";
export type { ProgressCounts, ProgressTotals } from "./terminal/progress-item.ts";
export { type RenderTableOptions, renderTable, type TableColumnFormat } from "./terminal/table.ts";
export { hashText } from "./text/hash-text.ts";
export { parseIsoTimestamp } from "./text/iso-timestamp.ts";
export { compareNaturally, naturalOrderKey } from "./text/natural-order.ts";
// end of DB
