import { daemonNames } from "../daemons.ts";
import type { Disturbance } from "../disturbance.ts";
import { drawSome } from "../draw-some.ts";

export const killDaemon: Disturbance = {
  name: "workers and tickers killed",
  weight: 5,
  draw: (random) => {
    const names = drawSome(random, daemonNames);
    const downMs = random.int(0, 3000);
    return {
      detail: `${names.join(", ")}, down for ${downMs} ms`,
      run: async (stage) => {
        await Promise.all(names.map((name) => stage.daemons.kill(name)));
        await stage.pause(downMs);
        for (const name of names) stage.daemons.start(name);
      },
    };
  },
};
