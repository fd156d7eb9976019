import { movableTables } from "../chaos-tables.ts";
import type { Disturbance } from "../disturbance.ts";
import { drawCommandKill, killText } from "./command-kill.ts";

export const resyncTables: Disturbance = {
  name: "resync",
  weight: 4,
  draw: (random, model) => {
    const key = random.pick(model.subscribers);
    const tables = [...new Set([random.pick(movableTables), random.pick(movableTables)])];
    const killAfterMs = drawCommandKill(random);
    return {
      detail: `${tables.join(" ")} on ${key}${killText(killAfterMs)}`,
      run: async (stage) => {
        await stage.londiste(key, ["resync", ...tables], killAfterMs);
      },
    };
  },
};
