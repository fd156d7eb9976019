import {
  type ConsumerBatch,
  type ConsumerDatabases,
  consumerProgram,
  createQueue,
  currentEventTable,
  SerialConsumer,
} from "@skytools/pgq";
import { type Database, type Job, skytoolsVersion, UsageError } from "@skytools/skytools";
import { isSameDatabase } from "./same-database.ts";

const movedColumns = [
  "ev_type",
  "ev_data",
  "ev_extra1",
  "ev_extra2",
  "ev_extra3",
  "ev_extra4",
  "ev_time",
] as const;

/** Copies every event of one queue into another, server to server: order, type, data, extras and time are kept; ids are the
 * target's own. */
class QueueMover extends SerialConsumer {
  readonly #targetQueue: string;

  constructor(job: Job, databases: ConsumerDatabases) {
    super(job, databases);
    this.#targetQueue = job.config.get("dst_queue_name");
  }

  /** @throws UsageError when source and target are the same queue */
  async startup(): Promise<void> {
    if (this.queueName !== this.#targetQueue) return;
    if (!(await isSameDatabase(await this.openSource(), await this.openTarget()))) return;
    const { message } = this.job.config.error(
      "dst_queue_name",
      `queue "${this.#targetQueue}" is the source itself, its events would go round for ever`,
    );
    throw new UsageError(message);
  }

  protected override async processRemoteBatch({ events }: ConsumerBatch, target: Database): Promise<void> {
    await events.copyInto(target, await currentEventTable(target, this.#targetQueue), movedColumns);
  }
}

async function createTargetQueue(job: Job): Promise<void> {
  const target = await job.databases.get("dst_db");
  const name = job.config.get("dst_queue_name");
  const isNew = await createQueue(target, name);
  await target.commit();
  job.log.info(
    isNew ? `Created queue ${name} on ${target.label}` : `Queue ${name} exists on ${target.label}`,
  );
}

/** Source: spec/scripts.md section 2 */
export const queueMover = consumerProgram({
  service: "queue_mover3",
  sectionAliases: ["queue_mover"],
  version: skytoolsVersion,
  summary: "copies the events of a queue into another queue, exactly once",
  consumer: QueueMover,
  keys: [{ key: "dst_queue_name", type: "string", required: true, doc: "queue to copy into" }],
  startupSwitches: [
    {
      flags: "--create-queue",
      doc: "create the target queue where it is missing, then end",
      run: createTargetQueue,
    },
  ],
});
