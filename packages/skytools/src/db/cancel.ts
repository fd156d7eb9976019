import { connect as connectTcp, type Socket } from "node:net";
import type { Connected } from "./connector.ts";
import { sessionKeys } from "./reported-settings.ts";

const cancelRequestCode = 80877102;

/** Asks the server to cancel the running statement of a session, over a connection of its own as the protocol
 * wants; returns when the server has taken the request, which says nothing about its effect.
 * Source: PostgreSQL manual, "Canceling Requests in Progress". */
export async function sendCancel(connected: Connected): Promise<void> {
  const { processId, secretKey } = sessionKeys(connected.client);
  const { host, port } = connected.target;
  const message = Buffer.alloc(16);
  message.writeInt32BE(16, 0);
  message.writeInt32BE(cancelRequestCode, 4);
  message.writeInt32BE(processId, 8);
  message.writeInt32BE(secretKey, 12);
  const socket: Socket = host.startsWith("/")
    ? connectTcp({ path: `${host}/.s.PGSQL.${port}` })
    : connectTcp({ host, port });
  await new Promise<void>((resolve, reject) => {
    socket.setTimeout(10_000, () => socket.destroy(new Error("timeout expired while cancelling")));
    socket.once("error", reject);
    socket.once("close", () => resolve());
    socket.once("connect", () => socket.end(message));
    socket.resume();
  });
}
