import {
  type ConsumerBatch,
  consumerProgram,
  createQueue,
  getQueueInfo,
  insertEvents,
  type PgqEvent,
  SerialConsumer,
} from "@skytools/pgq";
import { type Database, SkytoolsError, skytoolsVersion } from "@skytools/skytools";
import { eventField, fieldNames } from "./event-field.ts";

/** Copies each event into the queue that one of its fields names. Order is kept within a queue. */
class QueueSplitter extends SerialConsumer {
  /** where the events of a name go, for the batch in work; undefined: nowhere */
  readonly #destinations = new Map<string, string | undefined>();

  protected override async processRemoteBatch({ events }: ConsumerBatch, target: Database): Promise<void> {
    const field = this.job.config.get("queue_field");
    this.#destinations.clear();
    for await (const block of events.blocks()) {
      const byQueue = new Map<string, PgqEvent[]>();
      for (const event of block) {
        const queue = await this.#destination(target, event, field);
        if (queue === undefined) continue;
        const gathered = byQueue.get(queue);
        if (gathered === undefined) byQueue.set(queue, [event]);
        else gathered.push(event);
      }
      for (const [queue, gathered] of byQueue) await insertEvents(target, queue, gathered);
    }
  }

  /** @throws SkytoolsError NO_QUEUE when the event names no queue and that is an error */
  async #destination(target: Database, event: PgqEvent, field: string): Promise<string | undefined> {
    const name = eventField(event, field);
    if (name !== null) {
      if (!this.#destinations.has(name) && (await getQueueInfo(target, name)).length > 0) {
        this.#destinations.set(name, name);
      }
      if (this.#destinations.has(name)) return this.#destinations.get(name);
    }
    const substitute = await this.#substitute(target, event, field, name);
    if (name !== null) this.#destinations.set(name, substitute);
    if (substitute === undefined) this.job.statistics.increase("skipped", 1);
    return substitute;
  }

  async #substitute(
    target: Database,
    event: PgqEvent,
    field: string,
    name: string | null,
  ): Promise<string | undefined> {
    const rule = this.job.config.get("missing_queue");
    if (rule === "skip") return undefined;
    if (rule === "create" && name !== null) {
      await createQueue(target, name);
      this.job.log.info(`Created queue ${name} on ${target.label}`);
      return name;
    }
    if (rule !== "error" && rule !== "create") return rule;
    throw new SkytoolsError(
      "NO_QUEUE",
      name === null
        ? `event ${event.id} has no value in ${field}, which should name its queue`
        : `event ${event.id} is for queue "${name}", which does not exist on ${target.label}`,
      {
        retry: "later",
        hint: "Create the queue, or set missing_queue to skip, create or the name of another queue.",
      },
    );
  }
}

/** Source: spec/scripts.md section 3 */
export const queueSplitter = consumerProgram({
  service: "queue_splitter3",
  sectionAliases: ["queue_splitter"],
  version: skytoolsVersion,
  summary: "copies each event of a queue into the queue that one of its fields names, exactly once",
  consumer: QueueSplitter,
  keys: [
    {
      key: "queue_field",
      type: "choice",
      choices: fieldNames,
      default: "extra1",
      doc: "field of the event that names its queue",
    },
    {
      key: "missing_queue",
      type: "string",
      default: "error",
      doc: "what to do with events without a queue: error, skip, create, or the name of the queue that takes them",
    },
  ],
});
