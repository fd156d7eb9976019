import type { Database } from "@skytools/skytools";
import { ApplyError } from "./apply-error.ts";
import type { ApplyInput, ApplyResult } from "./apply-input.ts";
import { BatchApply } from "./batch-apply.ts";
import { BatchEvents, readSavepoint } from "./batch-events.ts";
import { BatchTables } from "./batch-tables.ts";
import { OrderNeeded } from "./order-needed.ts";
import { dropOldStages } from "./stage-table.ts";

/** Applies one batch within the target's open transaction.
 *
 * The events are read as one COPY stream, split into columns, and written as COPY streams into temporary tables of the session, one
 * for each replicated table. There the server folds them to their net effect and applies them with one statement a table; this
 * process handles bytes, not values. When all keys of a table differ, nothing is folded: inserts go straight into the table, and
 * what has been read is applied while the rest is on its way. TRUNCATE, EXECUTE and changes of the table list are barriers: what
 * came before is applied first. Where triggers or foreign keys act on replay, the events of all tables are applied one by one in
 * their order. Handlers get the events of their tables and return changes, which are collected in the same way.
 * @throws ApplyError an event that cannot be applied
 * @throws SkytoolsError CASCADE_EVENT an event that nobody understands
 * Source: design "Apply"; spec/londiste.md 9 */
export async function applyBatch(input: ApplyInput): Promise<ApplyResult> {
  try {
    await dropOldStages(input.target);
    return wantsOrder(input) ? await applyInOrder(input) : await applyInAnyOrder(input);
  } catch (error) {
    throw error instanceof ApplyError ? error.inBatch(input.batchId, input.tickId) : error;
  }
}

async function applyInOrder(input: ApplyInput): Promise<ApplyResult> {
  await using events = BatchEvents.inOrder(input);
  return await new BatchApply(input, true).run(events.blocks());
}

async function applyInAnyOrder(input: ApplyInput): Promise<ApplyResult> {
  const { source, target, log } = input;
  {
    await using events = await BatchEvents.inAnyOrder(input);
    if (events.isOrdered) return await new BatchApply(input, true).run(events.blocks());
    await target.execute("savepoint londiste_batch");
    try {
      return await new BatchApply(input, false).run(events.blocks());
    } catch (error) {
      // What an event lacks may come with an earlier one that has not been read yet: a column with a script.
      if (!(error instanceof OrderNeeded || error instanceof ApplyError)) throw error;
    }
  }
  log.debug("the batch is read again in the order of its events");
  orderedBatches.set(target, batchesInOrder);
  await target.execute("rollback to savepoint londiste_batch");
  if (source.inTransaction) await source.execute(`rollback to savepoint ${readSavepoint}`);
  return applyInOrder(input);
}

/** When one batch had to be read in order, the next ones probably have to be, too: so many are read in order at once. */
const batchesInOrder = 20;
const orderedBatches = new WeakMap<Database, number>();

function wantsOrder(input: ApplyInput): boolean {
  if (new BatchTables(input).mayOpen) return true;
  const left = orderedBatches.get(input.target) ?? 0;
  if (left > 0) orderedBatches.set(input.target, left - 1);
  return left > 0;
}
