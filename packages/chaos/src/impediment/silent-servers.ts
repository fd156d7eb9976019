import { waitFor } from "@skytools/testbed";
import { serverKeys } from "../cascade-model.ts";
import type { Disturbance } from "../disturbance.ts";
import { drawSome } from "../draw-some.ts";
import type { Stage } from "../stage.ts";
import { type HeldSocket, isHeld, socketsTo } from "../tcp-sockets.ts";

const patienceMs = 60_000;

/** Nobody ends these connections but the workers themselves, who have to find out that nothing comes any more. */
export const silentServers: Disturbance = {
  name: "servers silent until they are given up",
  weight: 1,
  draw: (random) => {
    const keys = drawSome(random, serverKeys);
    return {
      detail: keys.join(" "),
      run: async (stage) => {
        const proxies = keys.map((key) => stage.servers.proxy(key));
        for (const proxy of proxies) proxy.pause();
        const ports = proxies.map(({ port }) => port);
        const held = stage.daemons.runningWorkers.flatMap((pid) => socketsTo(ports, pid));
        stage.silencedConnections += held.length;
        try {
          await untilGivenUp(stage, held);
        } finally {
          for (const proxy of proxies) proxy.resume();
        }
      },
    };
  },
};

/** @throws Error when no worker has given up a connection after a while. One on which nothing is asked meanwhile tells nothing, so
 * those of a worker that waits for something else may stay. */
async function untilGivenUp(stage: Stage, held: readonly HeldSocket[]): Promise<void> {
  const left = () => held.filter(isHeld).length;
  const end = performance.now() + patienceMs;
  await waitFor(
    `workers to give up ${held.length} silent connections`,
    () => left() === 0 || ((stage.isEnding || performance.now() > end) && left() < held.length),
    { timeoutMs: 2 * patienceMs, intervalMs: 200 },
  );
}
