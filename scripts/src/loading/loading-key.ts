import type { ApplyLimits } from "@skytools/londiste/apply";
import type { Config, ConfigKey } from "@skytools/skytools";

/** Key that bounds the memory of a loader. */
export const loadBufferKey: ConfigKey = {
  key: "load_buffer",
  type: "bytes",
  default: "8MB",
  min: 1,
  doc: "changes that are collected in memory before they go to the target; a batch may be of any size",
};

const smallBatchEvents = 10_000;

/** What the key means for applying a batch: a single table goes before all of it is its own. */
export function loadLimits(config: Config): ApplyLimits {
  const totalBytes = config.getBytes("load_buffer");
  return { totalBytes, tableBytes: Math.ceil(totalBytes / 8), orderedEvents: smallBatchEvents };
}
