import { serverKeys } from "../cascade-model.ts";
import type { Disturbance } from "../disturbance.ts";
import { drawSome } from "../draw-some.ts";

export const halfOpenConnections: Disturbance = {
  name: "connections half-open",
  weight: 3,
  draw: (random) => {
    const keys = drawSome(random, serverKeys);
    const how = random.pick([
      "stall and go on",
      "stall and are cut",
      "are forgotten while new ones work, then cut",
    ]);
    const milliseconds = random.int(500, 6000);
    return {
      detail: `those to ${keys.join(" ")} ${how}, ${milliseconds} ms`,
      run: async (stage) => {
        const proxies = keys.map((key) => stage.servers.proxy(key));
        for (const proxy of proxies) {
          if (how.startsWith("stall")) proxy.pause();
          else proxy.strand();
        }
        await stage.pause(milliseconds);
        for (const proxy of proxies) {
          if (how !== "stall and go on") proxy.cut();
          proxy.resume();
        }
      },
    };
  },
};
