import { homedir, userInfo } from "node:os";
import { join } from "node:path";
import { UsageError } from "../errors.ts";
import { connectKeys } from "./connect-keys.ts";
import { type ConnectPairs, parseConnectPairs } from "./connect-string.ts";
import { readServiceFile } from "./service-file.ts";

/** One server to try. */
export interface ConnectTarget {
  /** what is dialled: a socket directory (leading `/`), a host name or an address */
  readonly host: string;
  readonly port: number;
  /** the name given for the host: certificates and password files are matched against it */
  readonly name: string;
}

export type SslMode = "disable" | "allow" | "prefer" | "require" | "verify-ca" | "verify-full";
export type TargetSessionAttrs =
  | "any"
  | "read-write"
  | "read-only"
  | "primary"
  | "standby"
  | "prefer-standby";

/** A connect string with service file, environment and defaults applied, as libpq would. */
export interface ConnectParameters {
  /** in the order to try them; empty: no host was given, see defaultTargets in connector.ts */
  readonly targets: readonly ConnectTarget[];
  readonly defaultPort: number;
  readonly user: string;
  readonly database: string;
  readonly password: string | undefined;
  readonly passfile: string;
  /** 0: no limit; otherwise for each target */
  readonly connectTimeoutMs: number;
  readonly applicationName: string | undefined;
  readonly options: string | undefined;
  /** values are Unicode text whatever encoding was asked for; SQL_ASCII takes the bytes as they are */
  readonly clientEncoding: "UTF8" | "SQL_ASCII";
  readonly keepalive: { readonly enabled: boolean; readonly idleMs: number };
  readonly replication: string | undefined;
  readonly targetSessionAttrs: TargetSessionAttrs;
  readonly shuffleHosts: boolean;
  readonly channelBinding: "disable" | "prefer";
  readonly ssl: SslParameters;
}

export interface SslParameters {
  readonly mode: SslMode;
  readonly negotiation: "postgres" | "direct";
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
  readonly keyPassword: string | undefined;
  /** where the files are that are not given: ~/.postgresql */
  readonly directory: string;
  /** a file, or `system` for the certificates that Node trusts */
  readonly rootCertFile: string | undefined;
  readonly crlFile: string | undefined;
  readonly minVersion: string | undefined;
  readonly maxVersion: string | undefined;
}

const sslModes = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] as const;
const sessionAttrs = ["any", "read-write", "read-only", "primary", "standby", "prefer-standby"] as const;

/** Reads a libpq connect string and fills the gaps as libpq does: service file, then environment, then
 * built-in defaults; plus the protections of Skytools (15 s connect timeout, keepalive after 240 s).
 * @throws UsageError naming the key, never its secret value
 * Source: spec/framework.md 1.8; PostgreSQL manual, libpq "Database Connection Control Functions". */
export function parseConnectString(text: string, env: NodeJS.ProcessEnv = process.env): ConnectParameters {
  const pairs = withDefaults(parseConnectPairs(text), env);
  const get = (key: string) => {
    const value = pairs.get(key);
    return value === "" ? undefined : value;
  };
  refuseUnsupported(get);
  const user = get("user") ?? userInfo().username;
  const defaultPort = 5432;
  const home = env.HOME ?? homedir();
  return {
    targets: connectTargets(get("host"), get("hostaddr"), get("port"), defaultPort),
    defaultPort: portNumber(get("port")?.split(",")[0], defaultPort),
    user,
    database: get("dbname") ?? user,
    password: get("password"),
    passfile: get("passfile") ?? join(home, ".pgpass"),
    connectTimeoutMs: connectTimeout(get("connect_timeout")),
    applicationName: get("application_name") ?? get("fallback_application_name"),
    options: get("options"),
    clientEncoding: get("client_encoding")?.toUpperCase() === "SQL_ASCII" ? "SQL_ASCII" : "UTF8",
    keepalive: {
      enabled: integer("keepalives", get("keepalives"), 1) !== 0,
      idleMs: (integer("keepalives_idle", get("keepalives_idle"), 0) || 240) * 1000,
    },
    replication: get("replication"),
    targetSessionAttrs: choice("target_session_attrs", get("target_session_attrs"), sessionAttrs, "any"),
    shuffleHosts:
      choice("load_balance_hosts", get("load_balance_hosts"), ["disable", "random"], "disable") === "random",
    channelBinding: choice("channel_binding", get("channel_binding"), ["disable", "prefer"], "prefer"),
    ssl: sslParameters(get, join(home, ".postgresql")),
  };
}

function withDefaults(given: ConnectPairs, env: NodeJS.ProcessEnv): ConnectPairs {
  const pairs = new Map(given);
  const service = pairs.get("service") ?? env.PGSERVICE;
  if (service !== undefined && service !== "") {
    for (const [key, value] of readServiceFile(service, pairs.get("servicefile"), env)) {
      if (!pairs.has(key)) pairs.set(key, value);
    }
  }
  for (const [key, { env: name }] of Object.entries(connectKeys)) {
    const value = name === undefined ? undefined : env[name];
    if (value !== undefined && !pairs.has(key)) pairs.set(key, value);
  }
  return pairs;
}

type Getter = (key: string) => string | undefined;

/** Keys that restrict how the server is trusted must not be ignored, so what is not enforced is refused. */
function refuseUnsupported(get: Getter): void {
  const demands: readonly [string, (value: string) => boolean][] = [
    ["require_auth", () => true],
    ["requirepeer", () => true],
    ["channel_binding", (value) => value === "require"],
    ["gssencmode", (value) => value === "require"],
    ["sslcertmode", (value) => value === "require"],
    ["sslcrldir", () => true],
    ["scram_client_key", () => true],
    ["scram_server_key", () => true],
    ["oauth_issuer", () => true],
  ];
  for (const [key, isDemand] of demands) {
    const value = get(key);
    if (value !== undefined && isDemand(value)) {
      throw new UsageError(`connection option "${key}" is not supported by this driver`, {
        hint: `Remove ${key} from the connect string, the service file and the environment.`,
      });
    }
  }
}

function connectTargets(
  host: string | undefined,
  hostaddr: string | undefined,
  port: string | undefined,
  defaultPort: number,
): ConnectTarget[] {
  if (host === undefined && hostaddr === undefined) {
    if (port?.includes(",")) throw mismatch("port numbers", port.split(",").length, "hosts", 1);
    return [];
  }
  const names = host?.split(",");
  const addresses = hostaddr?.split(",");
  const count = (addresses ?? names ?? []).length;
  if (names !== undefined && names.length !== count) {
    throw mismatch("host names", names.length, "hostaddr values", count);
  }
  const ports = port?.split(",") ?? [];
  if (ports.length > 1 && ports.length !== count)
    throw mismatch("port numbers", ports.length, "hosts", count);
  return Array.from({ length: count }, (_, index) => {
    const name = names?.[index] ?? "";
    const address = addresses?.[index] ?? "";
    return {
      host: address !== "" ? address : name,
      name: name !== "" ? name : address,
      port: portNumber(ports[ports.length === 1 ? 0 : index], defaultPort),
    };
  });
}

function mismatch(what: string, count: number, other: string, otherCount: number): UsageError {
  return new UsageError(`could not match ${count} ${what} to ${otherCount} ${other}`);
}

function portNumber(text: string | undefined, fallback: number): number {
  if (text === undefined || text.trim() === "") return fallback;
  const port = integer("port", text, fallback);
  if (port < 1 || port > 65535) throw new UsageError(`invalid port number: "${text}"`);
  return port;
}

function integer(key: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  if (!/^\s*[+-]?\d{1,9}\s*$/.test(text)) {
    throw new UsageError(`invalid integer value "${text}" for connection option "${key}"`);
  }
  return Number(text);
}

function choice<T extends string>(
  key: string,
  text: string | undefined,
  allowed: readonly T[],
  fallback: T,
): T {
  if (text === undefined) return fallback;
  const found = allowed.find((value) => value === text);
  if (found !== undefined) return found;
  throw new UsageError(`invalid ${key} value: "${text}"`, { hint: `Use one of: ${allowed.join(", ")}.` });
}

/** libpq reads 0 and negative as "wait for ever" and rounds 1 up to 2. */
function connectTimeout(text: string | undefined): number {
  const seconds = integer("connect_timeout", text, 15);
  if (seconds <= 0) return 0;
  return Math.max(seconds, 2) * 1000;
}

function sslParameters(get: Getter, directory: string): SslParameters {
  const fromRequire = get("requiressl") === "1" ? "require" : "prefer";
  const rootCertFile = get("sslrootcert");
  const mode = choice(
    "sslmode",
    get("sslmode"),
    sslModes,
    rootCertFile === "system" ? "verify-full" : fromRequire,
  );
  if (rootCertFile === "system" && mode !== "verify-full") {
    throw new UsageError(`weak sslmode "${mode}" may not be used with sslrootcert=system`, {
      hint: "Use sslmode=verify-full.",
    });
  }
  const useCertificate = get("sslcertmode") !== "disable";
  return {
    mode,
    negotiation: choice("sslnegotiation", get("sslnegotiation"), ["postgres", "direct"], "postgres"),
    certFile: useCertificate ? get("sslcert") : undefined,
    keyFile: useCertificate ? get("sslkey") : undefined,
    keyPassword: get("sslpassword"),
    directory,
    rootCertFile,
    crlFile: get("sslcrl"),
    minVersion: get("ssl_min_protocol_version"),
    maxVersion: get("ssl_max_protocol_version"),
  };
}

/** What to call a connect string in a message: `dbname@host`, hosts as given, never a password. */
export function describeConnectString(text: string): string {
  try {
    const pairs = parseConnectPairs(text);
    const service = pairs.get("service");
    const database = pairs.get("dbname") ?? (service === undefined ? undefined : `service ${service}`);
    const host = pairs.get("host") ?? pairs.get("hostaddr");
    const port = pairs.get("port");
    const place = `${host ?? "local"}${port === undefined ? "" : `:${port}`}`;
    return `${database ?? pairs.get("user") ?? "default database"}@${place}`;
  } catch {
    return "invalid connect string";
  }
}
