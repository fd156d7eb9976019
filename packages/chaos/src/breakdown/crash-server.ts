import { serverKeys } from "../cascade-model.ts";
import type { Disturbance } from "../disturbance.ts";

export const crashServer: Disturbance = {
  name: "server stopped hard",
  weight: 2,
  draw: (random) => {
    const key = random.pick(serverKeys);
    const isKilled = random.chance(0.5);
    const downMs = random.int(0, 3000);
    return {
      detail: `${key} ${isKilled ? "by SIGKILL" : "at once"}, down for ${downMs} ms`,
      run: async (stage) => {
        const cluster = stage.servers.cluster(key);
        await (isKilled ? cluster.killHard() : cluster.stop("immediate"));
        await stage.pause(downMs);
        await cluster.start();
      },
    };
  },
};
