import { Database } from "@skytools/skytools";
import { type NodeKey, queueNodes } from "./cascade-model.ts";
import type { Stage } from "./stage.ts";

/** One transaction of the ledger, on whichever node takes writes now.
 * @param writer its number in the ledger
 * @param whileOpen what is done before the commit
 * @returns its number; undefined when no node has taken it */
export async function singleTransaction(
  stage: Stage,
  writer: number,
  whileOpen: () => Promise<void> = async () => {},
): Promise<number | undefined> {
  for (const key of queueNodes) {
    const nr = await commitOn(stage, key, writer, whileOpen).catch(() => undefined);
    if (nr !== undefined) return nr;
  }
  return undefined;
}

/** @throws what a node says that takes no writes, and what ends the transaction before its time */
async function commitOn(
  stage: Stage,
  key: NodeKey,
  writer: number,
  whileOpen: () => Promise<void>,
): Promise<number> {
  const db = await Database.open(stage.directConnstr(key));
  try {
    const transaction = stage.ledger.begin(writer);
    const { nr } = transaction;
    await db.execute(`insert into public.ledger values (${writer}, ${nr})`);
    await whileOpen();
    await db.execute(`update public.total set sum = sum + 1 where id = ${nr % 10}`);
    await db.commit();
    stage.ledger.accept(transaction);
    return nr;
  } finally {
    await db.close();
  }
}
