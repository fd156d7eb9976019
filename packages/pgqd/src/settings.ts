import { ConfigError, expandHome, nearestName, parseConnectPairs, UsageError } from "@skytools/skytools";
import { type ListenAddress, parseListenAddress } from "./monitor/listen-address.ts";
import { facilities, type SettingDefinition, settingTable } from "./setting-table.ts";
import { type Assignment, readSettingsFile } from "./settings-file.ts";

/** The daemon's settings; periods in milliseconds. */
export interface Settings {
  readonly file: string;
  readonly logfile: string;
  readonly pidfile: string;
  readonly baseConnstr: string;
  readonly initialDatabase: string;
  /** empty: find the databases */
  readonly databaseList: readonly string[];
  readonly isSyslogOn: boolean;
  readonly syslogIdent: string;
  readonly syslogFacility: string;
  readonly checkPeriodMs: number;
  readonly retryPeriodMs: number;
  readonly maintPeriodMs: number;
  readonly tickerPeriodMs: number;
  readonly statsPeriodMs: number;
  readonly connectionLifetimeMs: number;
  readonly stallPeriodMs: number;
  /** undefined: no monitoring over HTTP */
  readonly httpListen: ListenAddress | undefined;
  readonly metricsPeriodMs: number;
  readonly unhealthyPeriodMs: number;
}

/** Reads and checks the whole file. Unknown keys are errors: a mistyped period must not pass silently.
 * @param old the settings until now, at a reload: what has no default and is not in the file any more stays as it was
 * @throws ConfigError naming file, line and key
 * Source: spec/pgq-library.md B2, B8 */
export function loadSettings(file: string, old?: Settings): Settings {
  const given = new Map<string, Assignment>();
  const known = new Set(settingTable.map((setting) => setting.key));
  for (const assignment of readSettingsFile(file)) {
    if (!known.has(assignment.key)) throw unknownKey(assignment);
    given.set(assignment.key, assignment);
  }
  const values = new Map(settingTable.map((setting) => [setting.key, checked(setting, given)]));
  const text = (key: string) => values.get(key)!;
  const milliseconds = (key: string) => Number(text(key)) * 1000;
  const keptKeys = new Set(settingTable.filter((setting) => setting.isKept).map((setting) => setting.key));
  const orOld = <T>(key: string, value: T, oldValue: T | undefined): T =>
    oldValue !== undefined && keptKeys.has(key) && !given.has(key) ? oldValue : value;
  return {
    file,
    logfile: orOld("logfile", expandHome(text("logfile")), old?.logfile),
    pidfile: orOld("pidfile", expandHome(text("pidfile")), old?.pidfile),
    baseConnstr: text("base_connstr"),
    initialDatabase: text("initial_database"),
    databaseList: orOld("database_list", names(text("database_list")), old?.databaseList),
    isSyslogOn: Number(text("syslog")) !== 0,
    syslogIdent: text("syslog_ident"),
    syslogFacility: text("syslog_facility"),
    checkPeriodMs: milliseconds("check_period"),
    retryPeriodMs: milliseconds("retry_period"),
    maintPeriodMs: milliseconds("maint_period"),
    tickerPeriodMs: milliseconds("ticker_period"),
    statsPeriodMs: Math.max(1000, Math.trunc(Number(text("stats_period"))) * 1000),
    connectionLifetimeMs: milliseconds("connection_lifetime"),
    stallPeriodMs: milliseconds("stall_period"),
    httpListen: parseListenAddress(text("http_listen")),
    metricsPeriodMs: milliseconds("metrics_period"),
    unhealthyPeriodMs: milliseconds("unhealthy_period"),
  };
}

function names(list: string): readonly string[] {
  return list
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

function checked(setting: SettingDefinition, given: ReadonlyMap<string, Assignment>): string {
  const assignment = given.get(setting.key);
  if (assignment === undefined || assignment.value === "") return setting.default;
  const problem = problemOf(setting, assignment.value);
  if (problem === undefined) return assignment.value;
  const { file, line, key } = assignment;
  throw new ConfigError(problem, { file, line, key, section: "pgqd" });
}

function problemOf(setting: SettingDefinition, value: string): string | undefined {
  switch (setting.type) {
    case "seconds": {
      if (!/^(\d+\.?\d*|\.\d+)$/.test(value)) return `"${value}" is not a number of seconds`;
      if (Number(value) === 0 && setting.isZeroAllowed !== true)
        return "a period of 0 seconds is not possible";
      return Number(value) > 2_000_000 ? `"${value}" seconds are more than a timer can count` : undefined;
    }
    case "flag":
      return /^([+-]?\d+|0x[\da-f]+)$/i.test(value) ? undefined : `"${value}" is neither 0 nor 1`;
    case "facility":
      return facilities.includes(value)
        ? undefined
        : `"${value}" is not a syslog facility; known are ${facilities.join(", ")}`;
    case "connstr":
      return connectStringProblem(value);
    case "address":
      return parseListenAddress(value) === undefined
        ? `"${value}" is not an address to listen on, such as 9127, 127.0.0.1:9127 or [::1]:9127`
        : undefined;
    case "text":
    case "path":
    case "list":
      return undefined;
  }
}

function connectStringProblem(value: string): string | undefined {
  try {
    parseConnectPairs(value);
    return undefined;
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
}

function unknownKey({ key, file, line }: Assignment): ConfigError {
  const nearest = nearestName(
    key,
    settingTable.map((setting) => setting.key),
  );
  const hint = nearest === undefined ? {} : { hint: `Perhaps ${nearest} is meant.` };
  return new ConfigError("unknown key", { file, line, key, section: "pgqd", ...hint });
}
