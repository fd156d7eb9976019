import { daemonNames } from "../daemons.ts";
import type { Disturbance } from "../disturbance.ts";

export const killDaemon: Disturbance = {
  name: "worker or ticker killed",
  weight: 5,
  draw: (random) => {
    const name = random.pick(daemonNames);
    const downMs = random.int(0, 3000);
    return {
      detail: `${name}, down for ${downMs} ms`,
      run: async (stage) => {
        await stage.daemons.kill(name);
        await stage.pause(downMs);
        stage.daemons.start(name);
      },
    };
  },
};
