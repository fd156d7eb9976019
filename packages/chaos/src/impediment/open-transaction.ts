import { Database } from "@skytools/skytools";
import { queueNodes } from "../cascade-model.ts";
import type { Disturbance } from "../disturbance.ts";
import type { Stage } from "../stage.ts";

/** The number of this writer in the ledger. */
const writer = 0;

export const openTransaction: Disturbance = {
  name: "transaction held open",
  weight: 3,
  draw: (random) => {
    const milliseconds = random.int(1000, 12_000);
    return {
      detail: `${milliseconds} ms`,
      run: async (stage) => {
        for (const key of queueNodes) {
          const isDone = await hold(stage, stage.directConnstr(key), milliseconds).catch(() => false);
          if (isDone) return;
        }
      },
    };
  },
};

/** @throws what a node says that takes no writes, and what ends the transaction before its time */
async function hold(stage: Stage, connstr: string, milliseconds: number): Promise<boolean> {
  const db = await Database.open(connstr);
  try {
    const transaction = stage.ledger.begin(writer);
    const { nr } = transaction;
    await db.execute(`insert into public.ledger values (${writer}, ${nr})`);
    await stage.pause(milliseconds);
    await db.execute(`update public.total set sum = sum + 1 where id = ${nr % 10}`);
    await db.commit();
    stage.ledger.accept(transaction);
    return true;
  } finally {
    await db.close();
  }
}
