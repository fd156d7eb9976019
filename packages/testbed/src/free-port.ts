import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/** A port of 127.0.0.1 that nobody has, for a server that must be told its port or is to come back on it. It is below the ports
 * that the system gives to whoever connects: one of those could be taken by anybody while no server is bound to it. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 32_768);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
