import type { ConfigGroup } from "../config/config-key.ts";

const classicLine = "%(asctime)s %(process)s %(levelname)s %(message)s";

/** Keys of programs that connect to databases. */
export const databaseConfig: ConfigGroup = {
  title: "database connections",
  keys: [
    {
      key: "connection_lifetime",
      type: "float",
      default: "1200",
      min: 0,
      doc: "seconds after which a database connection is closed and opened anew, 0: never",
    },
    {
      key: "server_check_period",
      type: "float",
      default: "60",
      min: 0,
      template: "hidden",
      doc: "seconds without a byte after which a server that runs our statement is probed with a new connection; two probes without answer end ours, 0: never",
    },
    {
      key: "sql_retry",
      type: "boolean",
      default: "0",
      template: "hidden",
      doc: "retry failed autocommit calls",
    },
    {
      key: "sql_retry_max_count",
      type: "int",
      default: "10",
      min: 0,
      template: "hidden",
      doc: "number of retries at most",
    },
    {
      key: "sql_retry_max_time",
      type: "float",
      default: "300",
      min: 0,
      template: "hidden",
      doc: "seconds of retrying at most",
    },
    {
      key: "sql_retry_formula_a",
      type: "float",
      default: "1",
      min: 0,
      template: "hidden",
      doc: "delay before a retry: a + b * number of tries",
    },
    {
      key: "sql_retry_formula_b",
      type: "float",
      default: "5",
      min: 0,
      template: "hidden",
      doc: "see sql_retry_formula_a",
    },
    {
      key: "sql_retry_formula_cap",
      type: "float",
      default: "60",
      min: 0,
      template: "hidden",
      doc: "longest delay before a retry",
    },
  ],
  openKeys: /^\w+_extra_connstr$/,
  openType: "connstr",
};

/** Keys of every program.
 * Source: spec/framework.md 1.7, 2.3 */
export const frameworkConfig: ConfigGroup = {
  title: "every program",
  keys: [
    {
      key: "loop_delay",
      type: "float",
      default: "1.0",
      template: "live",
      doc: "seconds to sleep when there is nothing to do; 0: end then, negative: run once",
    },
    {
      key: "logfile",
      type: "file",
      template: "live",
      example: "~/log/%(job_name)s.log",
      doc: "log file, rotated by size",
    },
    {
      key: "pidfile",
      type: "file",
      template: "live",
      example: "~/pid/%(job_name)s.pid",
      doc: "file with the process id, needed for -d, -s, -k and -r",
    },
    { key: "job_name", type: "string", doc: "name in the log. Default: name of the configuration file" },
    {
      key: "use_skylog",
      type: "choice",
      choices: ["0", "1", "2"],
      default: "0",
      doc: "0: log to stderr; 1: where skylog.ini says, except on a terminal; 2: always where skylog.ini says",
    },
    {
      key: "skylog_locations",
      type: "list",
      default: "skylog.ini, ~/.skylog.ini, /etc/skylog.ini",
      doc: "places of skylog.ini, the first that exists counts",
    },
    {
      key: "exception_sleep",
      type: "float",
      default: "20",
      min: 0,
      doc: "seconds to sleep after a failed round",
    },
    {
      key: "exception_sleep_max",
      type: "float",
      default: "0",
      min: 0,
      template: "hidden",
      doc: "if larger than exception_sleep: the sleep doubles with each failure in a row, up to this many seconds",
    },
    {
      key: "exception_quiet",
      type: "list",
      default: "",
      template: "hidden",
      doc: "names of errors that are logged as a warning at first, or ALL",
    },
    {
      key: "exception_grace",
      type: "float",
      default: "300",
      min: 0,
      template: "hidden",
      doc: "seconds from the first failure for which exception_quiet holds",
    },
    {
      key: "exception_reset",
      type: "float",
      default: "900",
      min: 0,
      template: "hidden",
      doc: "seconds from the first failure after which a success ends the streak",
    },
    {
      key: "log_size",
      type: "int",
      default: "10485760",
      min: 0,
      template: "hidden",
      doc: "bytes at which the log file is put aside, 0: never",
    },
    {
      key: "log_count",
      type: "int",
      default: "3",
      min: 0,
      template: "hidden",
      doc: "number of old log files kept, 0: the log file is never put aside",
    },
    {
      key: "log_format",
      type: "choice",
      choices: ["text", "json"],
      default: "text",
      template: "hidden",
      doc: "text: lines as logfmt_file and logfmt_console say; json: one JSON object a line",
    },
    ...logFormatKeys("file", "in the log file"),
    ...logFormatKeys("console", "on stderr"),
  ],
};

function logFormatKeys(output: string, where: string): ConfigGroup["keys"] {
  const hidden = { type: "string", template: "hidden" } as const;
  return [
    { ...hidden, key: `logfmt_${output}`, default: classicLine, doc: `format of a line ${where}` },
    { ...hidden, key: `logfmt_${output}_verbose`, doc: `logfmt_${output} when -v is given` },
    {
      ...hidden,
      key: `logdatefmt_${output}`,
      default: "",
      doc: `time ${where}, as for strftime; empty: YYYY-MM-DD HH:MM:SS,mmm`,
    },
    { ...hidden, key: `logdatefmt_${output}_verbose`, doc: `logdatefmt_${output} when -v is given` },
  ];
}
