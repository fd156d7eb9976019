import { serverKeys } from "../cascade-model.ts";
import type { Disturbance } from "../disturbance.ts";
import { drawSome } from "../draw-some.ts";

export const crashServer: Disturbance = {
  name: "servers stopped hard",
  weight: 2,
  draw: (random) => {
    const keys = drawSome(random, serverKeys);
    const isKilled = random.chance(0.5);
    const times = random.chance(0.3) ? random.int(2, 3) : 1;
    const downMs = random.int(0, 3000);
    return {
      detail: `${keys.join(" ")} ${isKilled ? "by SIGKILL" : "at once"}${times > 1 ? `, ${times} times` : ""}, down for ${downMs} ms`,
      run: async (stage) => {
        const whileDown = () => stage.pause(downMs);
        await Promise.all(keys.map((key) => stage.servers.crash(key, isKilled, whileDown, times)));
      },
    };
  },
};
