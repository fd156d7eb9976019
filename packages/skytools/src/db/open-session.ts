import { parseConnectString } from "./connect-parameters.ts";
import { acceptsConnections, connect } from "./connector.ts";
import { ServerWatch } from "./server-watch.ts";
import { Session } from "./session.ts";

const usualServerCheckMs = 60_000;

export interface SessionOptions {
  readonly applicationName?: string;
  /** overrides connect_timeout of the connect string; 0: none */
  readonly connectTimeoutMs?: number;
  /** how long a statement may run without a byte coming or going before the server is probed with a new connection; when that
   * gets no answer twice, the session is given up. 0: never. Default 60 s */
  readonly serverCheckMs?: number;
  /** told about problems that libpq prints as warnings, e.g. a password file that others can read */
  readonly onWarning?: (message: string) => void;
}

/** Connects, has the server watched, and fixes the text formats that values come in.
 * @param connstr libpq connect string or URI
 * @throws UsageError for a bad connect string, DatabaseError when no server accepts */
export async function openSession(connstr: string, options: SessionOptions): Promise<Session> {
  const parsed = parseConnectString(connstr);
  const parameters =
    options.connectTimeoutMs === undefined
      ? parsed
      : { ...parsed, connectTimeoutMs: options.connectTimeoutMs };
  const connected = await connect(parameters, {
    applicationName: parsed.applicationName ?? options.applicationName,
    warn: options.onWarning ?? (() => undefined),
  });
  const session = new Session(connected, parameters.database);
  session.watchWith(
    new ServerWatch({
      periodMs: options.serverCheckMs ?? usualServerCheckMs,
      traffic: () => session.socket.bytesRead + session.socket.bytesWritten,
      probe: () => acceptsConnections(parameters, connected.target),
      giveUp: (reason) => session.abandon(reason),
    }),
  );
  try {
    await session.exclusive(() => session.send(formatSettings(session, parameters.clientEncoding)));
  } catch (error) {
    await session.end();
    throw error;
  }
  return session;
}

function formatSettings(session: Session, clientEncoding: string): string {
  const { reported } = session.connected;
  const settings = ["set extra_float_digits = 1", "set bytea_output = 'hex'"];
  if (!(reported.get("DateStyle") ?? "").startsWith("ISO")) settings.push("set datestyle = 'ISO'");
  if (reported.get("IntervalStyle") !== "postgres") settings.push("set intervalstyle = 'postgres'");
  if (reported.get("standard_conforming_strings") !== "on") {
    settings.push("set standard_conforming_strings = on");
  }
  if (clientEncoding !== "UTF8") settings.push(`set client_encoding = '${clientEncoding}'`);
  return settings.join("; ");
}
