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

/** Keys of a loader that reads a plain queue: what consumers fetch at once is nothing to it. */
export const loadingKeys: readonly ConfigKey[] = [
  loadBufferKey,
  ...[
    { key: "pgq_lazy_fetch", type: "int", default: "300", min: 0 } as const,
    { key: "pgq_fetch_bytes", type: "bytes", default: "4MB", min: 1 } as const,
  ].map(
    (key): ConfigKey => ({ ...key, template: "hidden", doc: "accepted for old files: batches are streamed" }),
  ),
];

const smallBatchEvents = 10_000;

/** What the key means for applying a batch: a single table goes before all of it is its own. */
export function loadLimits(config: Config): ApplyLimits {
  const totalBytes = config.getBytes("load_buffer");
  return { totalBytes, tableBytes: Math.ceil(totalBytes / 8), orderedEvents: smallBatchEvents };
}
