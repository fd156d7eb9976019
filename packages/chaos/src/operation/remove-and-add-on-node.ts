import { movableTables } from "../chaos-tables.ts";
import type { Disturbance } from "../disturbance.ts";
import { drawCommandKill, killText } from "./command-kill.ts";

export const removeAndAddOnNode: Disturbance = {
  name: "remove-table and add-table on a node",
  weight: 3,
  draw: (random, model) => {
    const key = random.pick(model.subscribers);
    const table = random.pick(movableTables);
    const killAfterMs = drawCommandKill(random);
    return {
      detail: `${table} on ${key}${killText(killAfterMs)}`,
      run: async (stage) => {
        await stage.londiste(key, ["remove-table", table], killAfterMs);
        await stage.londiste(key, ["add-table", table], killAfterMs);
      },
    };
  },
};
