import {
  type ConsumerBatch,
  type ConsumerClass,
  type ConsumerDatabases,
  SerialConsumer,
} from "@skytools/pgq";
import { type Database, type Job, UsageError } from "@skytools/skytools";
import { type QueueCopier, withoutCascadeEvents } from "./queue-copier.ts";
import { isSameDatabase } from "./same-database.ts";

/** The class of consumers that copy the events of a queue of `src_db`, with their position in schema pgq_ext of the target. */
export function plainCopy(copierOf: (job: Job) => QueueCopier): ConsumerClass {
  return class extends SerialConsumer {
    readonly #copier: QueueCopier;

    constructor(job: Job, databases: ConsumerDatabases) {
      super(job, databases);
      this.#copier = copierOf(job);
    }

    /** @throws UsageError when the configuration makes events go round */
    async startup(): Promise<void> {
      const fixed = this.#copier.fixedQueue();
      if (fixed?.name !== this.queueName) return;
      const [source, target] = [await this.openSource(), await this.openTarget()];
      const isSame = await isSameDatabase(source, target);
      await Promise.all([source.rollback(), target.rollback()]);
      if (isSame) throw new UsageError(fixed.refusal.message);
    }

    protected override eventFilter(): string {
      return withoutCascadeEvents(super.eventFilter());
    }

    protected override async processRemoteBatch(
      { events, source, queueName }: ConsumerBatch,
      target: Database,
    ): Promise<void> {
      const isOwnQueue = async (name: string) => name === queueName && (await isSameDatabase(source, target));
      await this.#copier.copy({ events, isOwnQueue }, target);
    }
  };
}
