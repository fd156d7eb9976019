import { serverKeys } from "../cascade-model.ts";
import type { Disturbance } from "../disturbance.ts";

export const halfOpenConnections: Disturbance = {
  name: "connections half-open",
  weight: 3,
  draw: (random) => {
    const key = random.pick(serverKeys);
    const how = random.pick([
      "stall and go on",
      "stall and are cut",
      "are forgotten while new ones work, then cut",
    ]);
    const milliseconds = random.int(500, 6000);
    return {
      detail: `those to ${key} ${how}, ${milliseconds} ms`,
      run: async (stage) => {
        const proxy = stage.servers.proxy(key);
        if (how.startsWith("stall")) proxy.pause();
        else proxy.strand();
        await stage.pause(milliseconds);
        if (how !== "stall and go on") proxy.cut();
        proxy.resume();
      },
    };
  },
};
