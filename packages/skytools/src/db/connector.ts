import { existsSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { DatabaseError, SkytoolsError } from "../errors.ts";
import type { ConnectParameters, ConnectTarget, SslMode } from "./connect-parameters.ts";
import { readPasswordFile } from "./password-file.ts";
import { watchReportedSettings } from "./reported-settings.ts";
import { ReusingSocket } from "./reusing-socket.ts";
import { meaningOfSqlState } from "./sql-state.ts";
import { tlsOptions } from "./tls-options.ts";
import { strictTextParser, textParser } from "./type-parsers.ts";

/** A connected driver client and where it is. */
export interface Connected {
  readonly client: pg.Client;
  readonly target: ConnectTarget;
  /** settings as reported by the server, kept up to date by the driver */
  readonly reported: ReadonlyMap<string, string>;
}

export interface ConnectSettings {
  readonly applicationName: string | undefined;
  readonly warn: (message: string) => void;
}

/** Tries the targets in order until one accepts, as libpq does: a server that answers with an error other than
 * "starting up" ends the search, one that does not answer or has the wrong role does not.
 * @throws DatabaseError naming every target that was tried */
export async function connect(parameters: ConnectParameters, settings: ConnectSettings): Promise<Connected> {
  const targets =
    parameters.targets.length > 0 ? [...parameters.targets] : [defaultTarget(parameters.defaultPort)];
  if (parameters.shuffleHosts) shuffle(targets);
  const passes =
    parameters.targetSessionAttrs === "prefer-standby" ? (["standby", "any"] as const) : [undefined];
  const failures: string[] = [];
  let lastError: unknown;
  for (const wanted of passes) {
    for (const target of targets) {
      try {
        const connected = await connectTarget(parameters, target, settings);
        const mismatch = roleMismatch(wanted ?? parameters.targetSessionAttrs, connected.reported);
        if (mismatch === undefined) return connected;
        await connected.client.end();
        failures.push(`${targetLabel(target)}: ${mismatch}`);
      } catch (error) {
        if (error instanceof SkytoolsError) throw error;
        lastError = error;
        failures.push(`${targetLabel(target)}: ${reason(error)}`);
        if (isFinal(error)) throw connectError(parameters, failures, error);
      }
    }
  }
  throw connectError(parameters, failures, lastError);
}

const longestProbeMs = 15_000;

/** True unless a server leaves a new connection without answer: one that refuses it is alive. */
export async function acceptsConnections(
  parameters: ConnectParameters,
  target: ConnectTarget,
): Promise<boolean> {
  const limit = parameters.connectTimeoutMs;
  const connectTimeoutMs = limit > 0 ? Math.min(limit, longestProbeMs) : longestProbeMs;
  try {
    const probe = { ...parameters, connectTimeoutMs };
    const { client } = await connectTarget(probe, target, { applicationName: undefined, warn: () => {} });
    client.end().catch(() => undefined);
    return true;
  } catch (error) {
    return error instanceof SkytoolsError || error instanceof pg.DatabaseError;
  }
}

/** libpq's own default: the socket directory of the build, which differs between distributions. */
function defaultTarget(port: number): ConnectTarget {
  const directories = ["/var/run/postgresql", "/tmp"];
  const directory = directories.find((candidate) => existsSync(join(candidate, `.s.PGSQL.${port}`)));
  const host = directory ?? "localhost";
  return { host, name: "localhost", port };
}

function shuffle(targets: ConnectTarget[]): void {
  for (let last = targets.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1));
    [targets[last], targets[other]] = [targets[other]!, targets[last]!];
  }
}

async function connectTarget(
  parameters: ConnectParameters,
  target: ConnectTarget,
  settings: ConnectSettings,
): Promise<Connected> {
  const attempts = encryptionAttempts(parameters.ssl.mode, target);
  let failure: unknown;
  for (const isEncrypted of attempts) {
    try {
      return await connectOnce(parameters, target, isEncrypted, settings);
    } catch (error) {
      if (failure === undefined) failure = error;
      if (!isRetriedWithOtherEncryption(error)) throw error;
    }
  }
  throw failure;
}

function encryptionAttempts(mode: SslMode, target: ConnectTarget): readonly boolean[] {
  if (target.host.startsWith("/")) return [false];
  switch (mode) {
    case "disable":
      return [false];
    case "allow":
      return [false, true];
    case "prefer":
      return [true, false];
    case "require":
    case "verify-ca":
    case "verify-full":
      return [true];
  }
}

/** The other kind of connection is worth trying when this kind was refused as such: the server speaks no TLS,
 * the handshake failed, or pg_hba.conf has no entry for it (28000). A dead host or a wrong password is not. */
function isRetriedWithOtherEncryption(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return error.code === "28000";
  if (!(error instanceof Error)) return false;
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  return (
    /does not support SSL|establishing an SSL|disconnected before secure TLS/.test(error.message) ||
    /^(ERR_SSL|ERR_TLS|EPROTO)/.test(code)
  );
}

async function connectOnce(
  parameters: ConnectParameters,
  target: ConnectTarget,
  isEncrypted: boolean,
  settings: ConnectSettings,
): Promise<Connected> {
  let reported: ReadonlyMap<string, string> = new Map();
  const config: pg.ClientConfig & { readonly replication: string | undefined } = {
    replication: parameters.replication,
    host: target.host,
    port: target.port,
    user: parameters.user,
    database: parameters.database,
    password: () => passwordFor(parameters, target, settings.warn),
    ssl: isEncrypted ? tlsOptions(parameters.ssl, target) : false,
    sslnegotiation: isEncrypted ? parameters.ssl.negotiation : "postgres",
    enableChannelBinding: isEncrypted && parameters.channelBinding === "prefer",
    application_name: settings.applicationName ?? parameters.applicationName,
    options: parameters.options,
    connectionTimeoutMillis: parameters.connectTimeoutMs,
    keepAlive: parameters.keepalive.enabled && !target.host.startsWith("/"),
    keepAliveInitialDelayMillis: parameters.keepalive.idleMs,
    ...(parameters.replication !== undefined && !isEncrypted ? { stream: () => ReusingSocket.create() } : {}),
    types: {
      getTypeParser: (oid: number) =>
        reported.get("client_encoding") === "SQL_ASCII" ? strictTextParser(oid) : textParser(oid),
    },
  };
  const client = new pg.Client(config);
  reported = watchReportedSettings(client);
  client.on("error", () => {
    // Without a listener the driver's 'error' event ends the process; Database notes the loss itself.
  });
  try {
    await client.connect();
  } catch (error) {
    client.end().catch(() => undefined);
    throw error;
  }
  return { client, target, reported };
}

const noPassword = "no password supplied";

function passwordFor(
  parameters: ConnectParameters,
  target: ConnectTarget,
  warn: (message: string) => void,
): string {
  const isDefaultSocket = target.host === "/var/run/postgresql" || target.host === "/tmp";
  const password =
    parameters.password ??
    readPasswordFile(
      parameters.passfile,
      {
        host: isDefaultSocket ? "localhost" : target.name,
        port: target.port,
        database: parameters.database,
        user: parameters.user,
      },
      warn,
    );
  if (password === undefined || password === "") throw new Error(noPassword);
  return password;
}

function roleMismatch(
  wanted: ConnectParameters["targetSessionAttrs"],
  reported: ReadonlyMap<string, string>,
): string | undefined {
  const isStandby = reported.get("in_hot_standby") === "on";
  const isReadOnly = isStandby || reported.get("default_transaction_read_only") === "on";
  switch (wanted) {
    case "any":
    case "prefer-standby":
      return undefined;
    case "read-write":
      return isReadOnly ? "session is read-only" : undefined;
    case "read-only":
      return isReadOnly ? undefined : "session is not read-only";
    case "primary":
      return isStandby ? "server is in hot standby mode" : undefined;
    case "standby":
      return isStandby ? undefined : "server is not in hot standby mode";
  }
}

function isFinal(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return error.code !== "57P03";
  return error instanceof Error && error.message === noPassword;
}

/** `host:port` or `directory:port`, for messages. */
export function targetLabel(target: ConnectTarget): string {
  return target.name.includes(":")
    ? `[${target.name}]:${target.port}`
    : `${target.host.startsWith("/") ? target.host : target.name}:${target.port}`;
}

function reason(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reason(error.errors[0]);
  if (!(error instanceof Error)) return String(error);
  return error.message === "timeout expired" ? "timeout expired while connecting" : error.message.trim();
}

function connectError(
  parameters: ConnectParameters,
  failures: readonly string[],
  cause: unknown,
): DatabaseError {
  const sqlState = cause instanceof pg.DatabaseError ? cause.code : undefined;
  return new DatabaseError(
    `could not connect to database "${parameters.database}" at ${failures.join("; ")}`,
    {
      database: parameters.database,
      ...(sqlState === undefined ? {} : { sqlState }),
      retry: sqlState === undefined ? "reconnect" : meaningOfSqlState(sqlState).retry,
      hint: connectHint(cause),
      cause,
    },
  );
}

function connectHint(cause: unknown): string | undefined {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (code === "ECONNREFUSED" || code === "ENOENT") {
    return "Is the server running there, and are host and port in the connect string right?";
  }
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "Check host in the connect string.";
  const isPasswordMissing = cause instanceof Error && cause.message === noPassword;
  return meaningOfSqlState(isPasswordMissing ? "28P01" : String(code)).hint;
}
