import { serverKeys } from "../cascade-model.ts";
import type { Disturbance } from "../disturbance.ts";

export const cutConnections: Disturbance = {
  name: "connections cut",
  weight: 3,
  draw: (random) => {
    const key = random.pick(serverKeys);
    const times = random.int(1, 4);
    const gapMs = random.int(50, 700);
    return {
      detail: `to ${key}, ${times} times`,
      run: async (stage) => {
        for (let left = times; left > 0; left -= 1) {
          stage.servers.proxy(key).cut();
          await stage.pause(gapMs);
        }
      },
    };
  },
};
