import { UsageError, whyNotBetweenParentheses } from "@skytools/skytools";
import type { Handler } from "./handler.ts";
import { ignoresTruncate, ignoreTruncateArgument } from "./truncate-argument.ts";

/** The row filter; what `add-table --where` registers. */
export const filterHandler: Handler = {
  name: "filter",
  summary: "only rows that meet a condition are here",
  doc: `The condition is SQL over the table's columns, evaluated on the source for the copy, and here for events: an update after
which a row meets it brings the row here, one after which it does not takes it away. Events must have all columns that it
names. NULL is not true. It is one expression, and what it calls runs with the rights of the connections: the provider's for the
copy and compare, the worker's for events.`,
  arguments: [{ name: "where", doc: "the condition", isRequired: true }, ignoreTruncateArgument],
  create: (table) => {
    const condition = table.arguments.get("where") ?? "";
    const flaw = whyNotBetweenParentheses(condition);
    if (flaw !== undefined) {
      throw new UsageError(`where of ${table.name} ${flaw}`, {
        hint: `It is one SQL expression over the table's columns: ${condition}`,
      });
    }
    return {
      isComplete: false,
      ignoresTruncate: ignoresTruncate(table),
      rowCondition: async () => condition,
      rows: { condition },
    };
  },
};
