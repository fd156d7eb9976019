import type { ConfigGroup } from "@skytools/skytools";

/** Keys of every program that takes part in a cascaded queue. Source: spec/cascade.md section 6 */
export const cascadeConfig: ConfigGroup = {
  title: "cascaded queue",
  keys: [
    {
      key: "queue_name",
      type: "string",
      template: "live",
      example: "replika",
      doc: "name of the cascaded queue, the same on all nodes",
    },
    { key: "pgq_queue_name", type: "string", template: "hidden", doc: "old spelling of queue_name; wins" },
    {
      key: "consumer_name",
      type: "string",
      doc: "name of this consumer; the worker's name when it maintains a node. Default: job_name",
    },
    {
      key: "pgq_consumer_id",
      type: "string",
      template: "hidden",
      doc: "old spelling of consumer_name; wins",
    },
    { key: "node_name", type: "string", doc: "default node name for create-*" },
    {
      key: "public_node_location",
      type: "connstr",
      doc: "default for create-*: connect string under which other nodes reach this one",
    },
    { key: "initial_provider_location", type: "connstr", doc: "default for --provider of create-*" },
    {
      key: "remote_extra_connstr",
      type: "string",
      default: "",
      doc: "appended to the stored locations of other nodes, for example user= or sslmode=",
    },
    {
      key: "global_wm_publish_period",
      type: "float",
      default: "300",
      min: 0,
      doc: "seconds between global watermarks that a root publishes",
    },
    {
      key: "local_wm_publish_period",
      type: "float",
      default: "300",
      min: 0,
      doc: "seconds between reports of the local watermark to the provider",
    },
    {
      key: "pgq_batch_collect_events",
      type: "int",
      default: "0",
      min: 0,
      doc: "fewest events of a batch, 0: take each tick; never on a branch",
    },
    {
      key: "pgq_batch_collect_interval",
      type: "interval",
      default: "",
      doc: "shortest time span of a batch; never on a branch",
    },
    {
      key: "catch_up_events",
      type: "int",
      default: "25000",
      min: 0,
      doc: "a leaf that has fallen behind takes all ticks that there are as one batch, or of those so many events, up to the double; 0: each tick by itself",
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
      key: "wait_report_period",
      type: "float",
      default: "60",
      min: 0,
      doc: "seconds after which a command that waits for others says why it still does, and again and again; 0: never",
    },
    {
      key: "pgq_lazy_fetch",
      type: "int",
      default: "300",
      min: 0,
      template: "hidden",
      doc: "accepted for old files: batches are streamed, memory does not depend on it",
    },
    {
      key: "pgq_autocommit",
      type: "boolean",
      default: "0",
      template: "hidden",
      doc: "accepted for old files: a batch is read in a transaction of its own",
    },
  ],
};
