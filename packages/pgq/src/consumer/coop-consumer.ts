import type { ConfigKey, Database, Job } from "@skytools/skytools";
import type { BatchInfo } from "../batch.ts";
import { batchGone } from "../batch-gone.ts";
import { getBatchInfo } from "../pgq-api.ts";
import {
  finishCoopBatch,
  nextCoopBatch,
  registerSubconsumer,
  unregisterSubconsumer,
} from "../pgq-coop-api.ts";
import type { ConsumerDatabases } from "./base-consumer.ts";
import { batchCollection } from "./configured.ts";
import { Consumer } from "./consumer.ts";
import { coopKeys } from "./consumer-config.ts";

/** A member of a consumer whose batches are shared out among several processes, each under a name of its own. Batches of
 * different members overlap in time; each event goes to one of them. Of a batch that was handed on to another member, the work
 * through `batch.source` of the member that finishes it first counts, that of the other is rolled back.
 * Source: spec/pgq-library.md A9 */
export class CoopConsumer extends Consumer {
  static override readonly ownKeys: readonly ConfigKey[] = coopKeys;
  readonly subconsumerName: string;

  constructor(job: Job, databases: ConsumerDatabases) {
    super(job, databases);
    this.subconsumerName = job.config.get("subconsumer_name");
  }

  protected override async openBatch(source: Database): Promise<BatchInfo | undefined> {
    const { config } = this.job;
    const batchId = await nextCoopBatch(source, this.#member(), {
      ...batchCollection(config),
      deadInterval: config.getOr("subconsumer_timeout", "") || undefined,
    });
    if (batchId === undefined) return undefined;
    const info = await getBatchInfo(source, batchId);
    if (info === undefined) throw batchGone(source, batchId);
    return info;
  }

  protected override async closeBatch(source: Database, batchId: bigint): Promise<boolean> {
    return finishCoopBatch(source, batchId);
  }

  protected override async registerAt(source: Database): Promise<boolean> {
    return registerSubconsumer(source, this.#member());
  }

  protected override async removeRegistration(source: Database): Promise<number> {
    return unregisterSubconsumer(source, this.#member());
  }

  #member() {
    const { queueName, consumerName, subconsumerName } = this;
    return { queueName, consumerName, subconsumerName };
  }
}
