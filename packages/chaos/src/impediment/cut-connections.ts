import { serverKeys } from "../cascade-model.ts";
import type { Disturbance } from "../disturbance.ts";
import { drawSome } from "../draw-some.ts";

export const cutConnections: Disturbance = {
  name: "connections cut",
  weight: 3,
  draw: (random) => {
    const keys = drawSome(random, serverKeys);
    const times = random.int(1, 4);
    const gapMs = random.int(50, 700);
    return {
      detail: `to ${keys.join(" ")}, ${times} times`,
      run: async (stage) => {
        for (let left = times; left > 0; left -= 1) {
          for (const key of keys) stage.servers.proxy(key).cut();
          await stage.pause(gapMs);
        }
      },
    };
  },
};
