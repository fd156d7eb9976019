import { waitFor } from "@skytools/testbed";
import type { NodeKey } from "../cascade-model.ts";
import { movableTables } from "../chaos-tables.ts";
import { queueName } from "../configuration.ts";
import type { Disturbance } from "../disturbance.ts";
import type { Stage } from "../stage.ts";
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
        let limitMs = killAfterMs;
        await waitFor(
          `${table} to be removed from the root`,
          async () => {
            const limit = limitMs;
            limitMs = undefined;
            const failure = await stage.tryLondiste(root, ["remove-table", table], limit).then(
              () => undefined,
              (error: unknown) => error,
            );
            // One that was ended after its commit has removed it; when it is run again, there is no such table.
            if (await isInSet(stage, root, table)) throw failure;
            return true;
          },
          { timeoutMs: 600_000, intervalMs: 500 },
        );
        for (const key of subscribers) {
          await waitFor(`${table} to be gone from ${key}`, async () => !(await isInSet(stage, key, table)), {
            timeoutMs: 600_000,
            intervalMs: 300,
          });
        }
        for (const key of [root, ...subscribers])
          await stage.londiste(key, ["add-table", table], killAfterMs);
      },
    };
  },
};

async function isInSet(stage: Stage, key: NodeKey, table: string): Promise<boolean> {
  const rows = await stage.query(
    key,
    "select from londiste.table_info where queue_name = $1 and table_name = $2",
    [queueName, table],
  );
  return rows.length > 0;
}
