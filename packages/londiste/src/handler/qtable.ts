import type { Handler } from "./handler.ts";

/** Source: spec/londiste.md 12.3 */
export const qtableHandler: Handler = {
  name: "qtable",
  summary: "on the root: rows that are inserted go into the queue and not into the table",
  doc: "A queue that looks like a table. Its trigger is BEFORE INSERT with SKIP; there is nothing to copy.",
  arguments: [],
  create: () => ({
    registration: ["tgflags=BI", "SKIP", "expect_sync"],
    copiesRows: false,
    isComplete: false,
    open: () => ({ row: async () => {}, truncate: async () => {}, flush: async () => {} }),
  }),
};
