import { type Config, ConfigError } from "@skytools/skytools";
import type { BatchCollection } from "../batch.ts";

/** The queue of a program; the old spelling wins when it is set.
 * @throws ConfigError when neither is */
export function configuredQueue(config: Config): string {
  const name = config.getOr("pgq_queue_name", "") || config.getOr("queue_name", "");
  if (name !== "") return name;
  throw new ConfigError("queue_name is not set", {
    file: config.file,
    section: config.section,
    key: "queue_name",
    hint: "Name the queue; a cascaded queue has the same name on all nodes.",
  });
}

/** The consumer name of a program: one rule for the process that reads and for the commands that store its name. */
export function configuredConsumer(config: Config, jobName: string): string {
  return config.getOr("pgq_consumer_id", "") || config.getOr("consumer_name", "") || jobName;
}

/** The keys pgq_batch_collect_events, pgq_batch_collect_interval and pgq_keep_lag; what is empty or zero is unset. */
export function batchCollection(config: Config): BatchCollection {
  return {
    minCount: config.getInt("pgq_batch_collect_events") || undefined,
    minInterval: config.getOr("pgq_batch_collect_interval", "") || undefined,
    minLag: config.getOr("pgq_keep_lag", "") || undefined,
  };
}
