import type { ConfigKey } from "@skytools/skytools";

/** Keys of every consumer, in the order of the sample file. Source: spec/pgq-library.md A2 */
export const consumerKeys: readonly ConfigKey[] = [
  { key: "queue_name", type: "string", template: "live", doc: "queue to read" },
  { key: "pgq_queue_name", type: "string", template: "hidden", doc: "old spelling of queue_name; wins" },
  { key: "consumer_name", type: "string", doc: "name of this consumer. Default: job_name" },
  { key: "pgq_consumer_id", type: "string", template: "hidden", doc: "old spelling of consumer_name; wins" },
  {
    key: "table_filter",
    type: "list",
    default: "",
    doc: "take only events of these tables (ev_extra1); names without schema are of schema public",
  },
  {
    key: "consumer_filter",
    type: "string",
    doc: "take only events that meet this SQL condition over the event columns; replaces table_filter",
  },
  {
    key: "pgq_lazy_fetch",
    type: "int",
    default: "300",
    min: 0,
    doc: "largest number of events fetched at once, 0: load whole batches into memory. Unset: more while the queue holds no large event",
  },
  {
    key: "pgq_fetch_bytes",
    type: "bytes",
    default: "4MB",
    min: 1,
    doc: "fewer events are fetched at once when they are larger than this together",
  },
  {
    key: "pgq_autocommit",
    type: "boolean",
    default: "0",
    doc: "run the source connection in autocommit mode; needs pgq_lazy_fetch = 0",
  },
  {
    key: "pgq_batch_collect_events",
    type: "int",
    default: "0",
    min: 0,
    doc: "fewest events of a batch, 0: take each tick",
  },
  {
    key: "pgq_batch_collect_interval",
    type: "interval",
    default: "",
    doc: "shortest time span of a batch",
  },
  { key: "pgq_keep_lag", type: "interval", default: "", doc: "take only events older than this" },
  {
    key: "keepalive_stats",
    type: "float",
    default: "300",
    min: 0,
    doc: "seconds of idling after which an idle statistic is logged",
  },
  {
    key: "pgq_consumer_lock",
    type: "boolean",
    default: "0",
    doc: "hold an advisory lock: a second process under the same consumer name waits. Not through a transaction pooler",
  },
];

/** Keys of a cooperative consumer. Source: spec/pgq-library.md A9 */
export const coopKeys: readonly ConfigKey[] = [
  { key: "subconsumer_name", type: "string", required: true, doc: "name of this member of the consumer" },
  {
    key: "subconsumer_timeout",
    type: "interval",
    default: "",
    doc: "take over the batch of a member without a sign of life for this time; longer than any batch takes",
  },
];

/** Key of a consumer that keeps its position in a file. Source: spec/pgq-library.md A8 */
export const trackingFileKey: ConfigKey = {
  key: "local_tracking_file",
  type: "file",
  required: true,
  example: "~/state/%(job_name)s.tick",
  doc: "file that holds the last finished tick; its directory must exist",
};
