import type { Config } from "@skytools/skytools";
import { fullName } from "../names.ts";

/** Which of the set's tables, or sequences, a node knows at all: `register_only_*` and `register_skip_*`, of which the latter wins.
 * Source: spec/londiste.md section 4 */
export function isRegistered(config: Config, kind: "tables" | "seqs", name: string): boolean {
  const only = config.getList(`register_only_${kind}`).map(fullName);
  const skipped = config.getList(`register_skip_${kind}`).map(fullName);
  return (only.length === 0 || only.includes(name)) && !skipped.includes(name);
}
