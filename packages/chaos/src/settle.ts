import { waitFor } from "@skytools/testbed";
import { type CascadeModel, nodeKeys, type queueNodes } from "./cascade-model.ts";
import { jobName, queueName } from "./configuration.ts";
import type { Stage } from "./stage.ts";

const timeoutMs = 600_000;

/** With the writers stopped: waits until all tables are in sync on all nodes, and everything that was committed has come to all. */
export async function settle(stage: Stage, { root }: CascadeModel): Promise<void> {
  const [before] = await stage.query<{ txid: string }>(root, "select txid_current()::text as txid");
  for (const key of nodeKeys) {
    await waitFor(
      `all tables of ${key} to be in sync`,
      async () => {
        const rows = await stage.query<{ table_name: string; merge_state: string | null }>(
          key,
          "select table_name, merge_state from londiste.table_info where queue_name = $1 and local",
          [queueName],
        );
        const waiting = rows.filter(({ merge_state }) => merge_state !== "ok");
        if (waiting.length > 0) throw new Error(JSON.stringify(waiting));
        return rows.length > 0;
      },
      { timeoutMs, intervalMs: 200 },
    );
  }
  const tick = await tickAfter(stage, root, before!.txid);
  for (const key of nodeKeys.filter((each) => each !== root)) {
    await waitFor(
      `${key} to finish tick ${tick}`,
      async () => {
        const [row] = await stage.query<{ tick: string }>(
          key,
          "select last_tick_id::text as tick from pgq_node.local_state where queue_name = $1 and consumer_name = $2",
          [queueName, jobName(key)],
        );
        if (BigInt(row!.tick) < BigInt(tick)) throw new Error(`tick ${row!.tick}`);
        return true;
      },
      { timeoutMs, intervalMs: 200 },
    );
  }
}

/** @returns a tick on the root that has everything before the transaction */
async function tickAfter(stage: Stage, root: (typeof queueNodes)[number], txid: string): Promise<string> {
  const { tick } = await waitFor(
    "a tick after everything that was written",
    async () => {
      await stage.query(root, "select pgq.force_tick($1), pgq.ticker($1)", [queueName]);
      const [row] = await stage.query<{ tick: string | null }>(
        root,
        `select min(t.tick_id)::text as tick from pgq.tick t join pgq.queue q on q.queue_id = t.tick_queue
          where q.queue_name = $1 and txid_visible_in_snapshot($2::int8, t.tick_snapshot)`,
        [queueName, txid],
      );
      return row?.tick === null || row === undefined ? undefined : { tick: row.tick };
    },
    { timeoutMs, intervalMs: 200 },
  );
  return tick;
}
