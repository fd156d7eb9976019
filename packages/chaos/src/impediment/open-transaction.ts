import type { Disturbance } from "../disturbance.ts";
import { singleTransaction } from "../single-transaction.ts";

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
        await singleTransaction(stage, writer, () => stage.pause(milliseconds));
      },
    };
  },
};
