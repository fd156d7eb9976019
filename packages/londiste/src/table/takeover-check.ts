import type { CascadeAdmin, TakeoverProblem } from "@skytools/pgq/cascade";
import type { Database } from "@skytools/skytools";
import { getTableList, type ReplicatedTable } from "../londiste-api.ts";

/** Whether a node may become the root as far as its tables go: everything that the old root replicates must be replicated on the
 * new one, copied whole, and past the transactions that a copy has seen ahead of the queue. Of a dead root only the list of
 * tables is known.
 * Source: spec/cascade.md 10.5, T8 and T9 */
export async function checkTakeover(
  { queueName }: CascadeAdmin,
  taker: Database,
  old: Database | undefined,
): Promise<readonly TakeoverProblem[]> {
  const here = await getTableList(taker, queueName);
  await taker.commit();
  const needed = old === undefined ? here : await getTableList(old, queueName);
  await old?.commit();
  const names = needed.filter((table) => old === undefined || table.isLocal).map(({ name }) => name);
  return names.flatMap(
    (name) =>
      problemOf(
        name,
        here.find((table) => table.name === name),
      ) ?? [],
  );
}

function problemOf(name: string, table: ReplicatedTable | undefined): TakeoverProblem | undefined {
  if (table === undefined || !table.isLocal) {
    return {
      text: `table ${name} is not replicated on the new root`,
      hint: "Add it there with add-table and wait-sync, or remove it from the set.",
    };
  }
  if (table.state.kind !== "ok") {
    return {
      text: `table ${name} is not in sync on the new root (${table.storedState ?? "not copied"})`,
      hint: "See wait-sync.",
    };
  }
  if (table.copySnapshot === null) return undefined;
  return {
    text: `table ${name} on the new root was copied ahead of the queue`,
    hint: "Wait until its node has replayed as far: the next few batches.",
  };
}
