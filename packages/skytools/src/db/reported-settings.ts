import type pg from "pg";

/** Settings that the server reports by itself (server_version, DateStyle, in_hot_standby ...), kept up to date
 * while the client lives. Call it before connecting. */
export function watchReportedSettings(client: pg.Client): ReadonlyMap<string, string> {
  const reported = new Map<string, string>();
  client.connection.on("parameterStatus", (message: { parameterName: string; parameterValue: string }) => {
    reported.set(message.parameterName, message.parameterValue);
  });
  return reported;
}

/** server_version as the number that SQL's `server_version_num` shows, e.g. 150018; 0 when unknown. */
export function serverVersionNumber(text: string): number {
  const match = /^(\d+)(?:\.(\d+))?/.exec(text);
  return match === null ? 0 : Number(match[1]) * 10000 + Number(match[2] ?? 0);
}

/** What identifies the session to the server: the backend's pid, and the key that a cancel request needs. */
export function sessionKeys(client: pg.Client): { processId: number; secretKey: number } {
  if ("processID" in client && "secretKey" in client) {
    const { processID, secretKey } = client;
    if (typeof processID === "number" && typeof secretKey === "number")
      return { processId: processID, secretKey };
  }
  throw new Error("unexpected layout of the pg driver's client");
}
