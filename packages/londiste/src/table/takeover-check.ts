import type { CascadeAdmin, TakeoverProblem } from "@skytools/pgq/cascade";
import { type Database, SkytoolsError } from "@skytools/skytools";
import { HandlerRegistry, handlerSpecOfTable } from "../handler/handler-registry.ts";
import { getTableList, type ReplicatedTable } from "../londiste-api.ts";
import { isShared } from "./copy-node.ts";

/** Whether a node may become the root as far as its tables go: everything that the old root replicates must be replicated on the
 * new one, copied whole, and past the transactions that a copy has seen ahead of the queue. Of a dead root only the list of
 * tables is known.
 * Source: spec/cascade.md 10.5, T8 and T9 */
export async function checkTakeover(
  { queueName, job }: CascadeAdmin,
  taker: Database,
  old: Database | undefined,
): Promise<readonly TakeoverProblem[]> {
  const here = await getTableList(taker, queueName);
  await taker.commit();
  const needed = old === undefined ? here : await getTableList(old, queueName);
  await old?.commit();
  const names = needed.filter((table) => old === undefined || table.isLocal).map(({ name }) => name);
  const registry = await HandlerRegistry.load(job.config);
  return names.flatMap((name) => problemOf(name, here, registry) ?? []);
}

function problemOf(
  name: string,
  here: readonly ReplicatedTable[],
  registry: HandlerRegistry,
): TakeoverProblem | undefined {
  const table = here.find((entry) => entry.name === name);
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
  if (isShared(here, table)) {
    return {
      text: `table ${name} shares the table ${table.destination} of the new root with another one of the set`,
      hint: "Give each of them a table of its own there, or make another node the root.",
    };
  }
  if (table.copySnapshot === null) return handlerProblem(table, registry);
  return {
    text: `table ${name} on the new root was copied ahead of the queue`,
    hint: "Wait until its node has replayed as far: the next few batches.",
  };
}

/** A root's table is what everybody else gets. */
function handlerProblem(table: ReplicatedTable, registry: HandlerRegistry): TakeoverProblem | undefined {
  const name = handlerSpecOfTable(table)?.name ?? "";
  try {
    if (registry.ofTable(table)?.isComplete !== false) return undefined;
  } catch (error) {
    if (!(error instanceof SkytoolsError)) throw error;
    return {
      text: `whether table ${table.name} is whole on the new root, with handler "${name}", cannot be told: ${error.message}`,
      hint: error.hint ?? "Say --force where it is.",
    };
  }
  return {
    text: `table ${table.name} is not whole on the new root: handler "${name}" keeps only part of it, or something else`,
    hint: "Take the handler away with change-handler and copy the table with resync, or say --force where it has all rows.",
  };
}
