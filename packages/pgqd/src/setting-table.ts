/** How a value is written in the file. Times are seconds, fractions allowed. */
export type SettingType = "text" | "path" | "seconds" | "flag" | "list" | "facility" | "connstr" | "address";

export interface SettingDefinition {
  readonly key: string;
  readonly type: SettingType;
  readonly default: string;
  readonly doc: string;
  /** for a time: 0 has a meaning */
  readonly isZeroAllowed?: boolean;
  /** removed from the file at a reload, the old value stays; an empty value takes it away */
  readonly isKept?: boolean;
  /** value of a key that stands uncommented in the sample file */
  readonly sample?: string;
}

/** Every key of the file, in the order of the sample. It feeds parsing, checking, the sample and the documentation.
 * Source: spec/pgq-library.md B2 */
export const settingTable: readonly SettingDefinition[] = [
  {
    key: "logfile",
    type: "path",
    default: "",
    isKept: true,
    sample: "~/log/pgqd.log",
    doc: "where to log; ~ is expanded",
  },
  {
    key: "pidfile",
    type: "path",
    default: "",
    isKept: true,
    sample: "~/pid/pgqd.pid",
    doc: "pidfile, needed for -d, -s, -k and -r",
  },
  {
    key: "base_connstr",
    type: "connstr",
    default: "",
    doc: "libpq connect string without dbname, for all databases",
  },
  {
    key: "initial_database",
    type: "text",
    default: "template1",
    doc: "database to connect to for finding the others",
  },
  {
    key: "database_list",
    type: "list",
    default: "",
    isKept: true,
    doc: "databases to look after, comma separated; empty: find them",
  },
  { key: "syslog", type: "flag", default: "1", doc: "log to syslog too: 0 or 1" },
  { key: "syslog_ident", type: "text", default: "pgqd", doc: "program name in syslog" },
  {
    key: "syslog_facility",
    type: "facility",
    default: "daemon",
    doc: "auth, authpriv, daemon, user or local0 to local7",
  },
  {
    key: "check_period",
    type: "seconds",
    default: "60",
    doc: "how often to look for new databases, and for PgQ in those without it",
  },
  { key: "retry_period", type: "seconds", default: "30", doc: "pause between passes over the retry queues" },
  { key: "maint_period", type: "seconds", default: "120", doc: "pause between maintenance rounds" },
  { key: "ticker_period", type: "seconds", default: "1", doc: "pause between ticks" },
  { key: "stats_period", type: "seconds", default: "30", doc: "how often to log statistics" },
  {
    key: "connection_lifetime",
    type: "seconds",
    default: "3600",
    isZeroAllowed: true,
    doc: "age at which ticker connections are opened anew; 0: never",
  },
  {
    key: "stall_period",
    type: "seconds",
    default: "60",
    doc: "after how long without an answer a second connection asks whether the first one is still alive",
  },
  {
    key: "http_listen",
    type: "address",
    default: "",
    doc: "serve /metrics, /health and a status page on HOST:PORT, or on PORT of 127.0.0.1; empty: do not",
  },
  {
    key: "metrics_period",
    type: "seconds",
    default: "30",
    doc: "how often to ask the databases for the figures of /metrics",
  },
  {
    key: "unhealthy_period",
    type: "seconds",
    default: "60",
    doc: "a database that was not ticked for so long makes /health say so",
  },
];

export const facilities: readonly string[] = [
  "auth",
  "authpriv",
  "daemon",
  "user",
  "local0",
  "local1",
  "local2",
  "local3",
  "local4",
  "local5",
  "local6",
  "local7",
];

/** The text that --ini prints. */
export function sampleFile(): string {
  const lines = ["[pgqd]", ""];
  for (const { key, default: value, sample, doc } of settingTable) {
    lines.push(
      `# ${doc}`,
      sample === undefined ? `#${`${key} = ${value}`.trimEnd()}` : `${key} = ${sample}`,
      "",
    );
  }
  return lines.join("\n");
}
