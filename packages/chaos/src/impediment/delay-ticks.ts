import { serverKeys } from "../cascade-model.ts";
import type { Disturbance } from "../disturbance.ts";

export const delayTicks: Disturbance = {
  name: "ticks delayed",
  weight: 2,
  draw: (random) => {
    const milliseconds = random.int(1000, 8000);
    return {
      detail: `${milliseconds} ms`,
      run: async (stage) => {
        for (const key of serverKeys) stage.daemons.signal(`pgqd ${key}`, "SIGSTOP");
        await stage.pause(milliseconds);
        for (const key of serverKeys) stage.daemons.signal(`pgqd ${key}`, "SIGCONT");
      },
    };
  },
};
