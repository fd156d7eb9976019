import type { Handler } from "./handler.ts";

const virtual = {
  needsTable: false,
  registration: ["virtual_table"],
  copiesRows: false,
  isComplete: false,
  open: () => ({ row: async () => {}, truncate: async () => {}, flush: async () => {} }),
} as const;

/** Source: spec/londiste.md 12.3 */
export const vtableHandler: Handler = {
  name: "vtable",
  summary: "the table counts as replicated here, without there being one",
  doc: "So that nodes behind this one can subscribe to it, and scripts with Local-Table find it.",
  arguments: [],
  create: () => virtual,
};

/** Source: spec/londiste.md 12.3 */
export const fakeLocalHandler: Handler = {
  ...vtableHandler,
  name: "fake_local",
  summary: "old name of vtable",
  doc: "",
};
