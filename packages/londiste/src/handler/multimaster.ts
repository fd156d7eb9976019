import { urlEncodeRow } from "@skytools/skytools";
import { callFunction } from "./applyfn.ts";
import type { Handler } from "./handler.ts";

/** Source: spec/londiste.md 12.4 */
export const multimasterHandler: Handler = {
  name: "multimaster",
  summary: "several sources write to one table; of two versions of a row the newer one wins",
  doc: `All arguments go to the function, urlencoded. merge_on_time (SQL module conflicthandler) needs timefield=COLUMN and
knows altpk=, fkey_ref_table=, fkey_ref_cols=, fkey_cols=. Copy from one source and add the others with --expect-sync.
Nodes that write into each other add the other's table with --no-triggers: a leaf's triggers refuse local changes.`,
  arguments: [
    { name: "func_name", doc: "another function than merge_on_time" },
    { name: "timefield", doc: "column with the time of the change" },
    { name: "altpk", doc: "columns of another key by which rows are found" },
  ],
  hasOpenArguments: true,
  create: ({ destination, arguments: values }) => {
    const { func_name: name = "merge_on_time", ...configuration } = Object.fromEntries(values);
    return {
      ...callFunction({ name, configuration: urlEncodeRow(configuration), destination }),
      registration: ["no_merge"],
    };
  },
};
