import { waitFor } from "@skytools/testbed";
import { movableTables } from "../chaos-tables.ts";
import { queueName } from "../configuration.ts";
import type { Disturbance } from "../disturbance.ts";
import { drawCommandKill, killText } from "./command-kill.ts";

export const removeAndAddInSet: Disturbance = {
  name: "remove-table and add-table in the whole set",
  weight: 2,
  draw: (random, model) => {
    const { root, subscribers } = model;
    const table = random.pick(movableTables);
    const killAfterMs = drawCommandKill(random);
    return {
      detail: `${table}, root ${root}${killText(killAfterMs)}`,
      run: async (stage) => {
        await stage.londiste(root, ["remove-table", table], killAfterMs);
        for (const key of subscribers) {
          await waitFor(
            `${table} to be gone from ${key}`,
            async () => {
              const rows = await stage.query(
                key,
                "select from londiste.table_info where queue_name = $1 and table_name = $2",
                [queueName, table],
              );
              return rows.length === 0;
            },
            { timeoutMs: 600_000, intervalMs: 300 },
          );
        }
        for (const key of [root, ...subscribers])
          await stage.londiste(key, ["add-table", table], killAfterMs);
      },
    };
  },
};
