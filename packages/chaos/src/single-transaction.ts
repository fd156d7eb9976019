import { Database } from "@skytools/skytools";
import { type NodeKey, queueNodes } from "./cascade-model.ts";
import type { SetDatabases } from "./set-databases.ts";
import type { TransactionLedger } from "./transaction-ledger.ts";

/** The set, and the ledger that its transactions are written down in. */
export interface LedgerSet extends SetDatabases {
  readonly ledger: TransactionLedger;
}

/** One transaction of the ledger, on whichever node takes writes now.
 * @param writer its number in the ledger
 * @param whileOpen what is done before the commit
 * @returns its number; undefined when no node has taken it */
export async function singleTransaction(
  set: LedgerSet,
  writer: number,
  whileOpen: () => Promise<void> = async () => {},
): Promise<number | undefined> {
  for (const key of queueNodes) {
    const nr = await commitOn(set, key, writer, whileOpen).catch(() => undefined);
    if (nr !== undefined) return nr;
  }
  return undefined;
}

/** @throws what a node says that takes no writes, and what ends the transaction before its time */
async function commitOn(
  set: LedgerSet,
  key: NodeKey,
  writer: number,
  whileOpen: () => Promise<void>,
): Promise<number> {
  const db = await Database.open(set.directConnstr(key));
  try {
    const transaction = set.ledger.begin(writer);
    const { nr } = transaction;
    await db.execute(`insert into public.ledger values (${writer}, ${nr})`);
    await whileOpen();
    await db.execute(`update public.total set sum = sum + 1 where id = ${nr % 10}`);
    await db.commit();
    set.ledger.accept(transaction);
    return nr;
  } finally {
    await db.close();
  }
}
