import { createQueue, currentEventTable } from "@skytools/pgq";
import type { Database, Job } from "@skytools/skytools";
import {
  type BatchToCopy,
  ownQueueError,
  type QueueCopier,
  roundForEver,
} from "../queue-copying/queue-copier.ts";
import { queueCopyProgram } from "../queue-copying/queue-copy-program.ts";

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
class QueueMover implements QueueCopier {
  readonly #job: Job;
  readonly #targetQueue: string;

  constructor(job: Job) {
    this.#job = job;
    this.#targetQueue = job.config.get("dst_queue_name");
  }

  fixedQueue() {
    const name = this.#targetQueue;
    return { name, refusal: this.#job.config.error("dst_queue_name", `queue "${name}" ${roundForEver}`) };
  }

  /** @throws SkytoolsError OWN_QUEUE, as after a reload that has brought another target database */
  async copy({ events, isOwnQueue }: BatchToCopy, target: Database): Promise<void> {
    const name = this.#targetQueue;
    if (await isOwnQueue(name)) {
      throw ownQueueError(`dst_queue_name: queue "${name}"`, "Name another queue or another database.");
    }
    await events.copyInto(target, await currentEventTable(target, name), movedColumns);
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
export const queueMover = queueCopyProgram({
  service: "queue_mover3",
  sectionAliases: ["queue_mover"],
  summary: "copies the events of a queue into another queue, exactly once",
  copier: (job) => new QueueMover(job),
  keys: [{ key: "dst_queue_name", type: "string", required: true, doc: "queue to copy into" }],
  startupSwitches: [
    {
      flags: "--create-queue",
      doc: "create the target queue where it is missing, then end",
      run: createTargetQueue,
    },
  ],
});
