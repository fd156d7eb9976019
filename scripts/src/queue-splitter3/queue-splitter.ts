import { createQueue, getQueueInfo, insertEvents, type PgqEvent } from "@skytools/pgq";
import { type Database, type Job, SkytoolsError } from "@skytools/skytools";
import {
  type BatchToCopy,
  ownQueueError,
  type QueueCopier,
  roundForEver,
} from "../queue-copying/queue-copier.ts";
import { queueCopyProgram } from "../queue-copying/queue-copy-program.ts";
import { eventField, fieldNames } from "./event-field.ts";

/** Words of missing_queue that are no queue's name. */
const rules = ["error", "skip", "create"];

/** Copies each event into the queue that one of its fields names. Order is kept within a queue. */
class QueueSplitter implements QueueCopier {
  readonly #job: Job;
  /** where the events of a name go, for the batch in work; undefined: nowhere */
  readonly #destinations = new Map<string, string | undefined>();

  constructor(job: Job) {
    this.#job = job;
  }

  fixedQueue() {
    const { config } = this.#job;
    const name = config.get("missing_queue");
    if (rules.includes(name)) return undefined;
    return { name, refusal: config.error("missing_queue", `queue "${name}" ${roundForEver}`) };
  }

  /** @throws SkytoolsError NO_QUEUE, OWN_QUEUE */
  async copy({ events, isOwnQueue }: BatchToCopy, target: Database): Promise<void> {
    const field = this.#job.config.get("queue_field");
    this.#destinations.clear();
    for await (const block of events.blocks()) {
      const byQueue = new Map<string, PgqEvent[]>();
      for (const event of block) {
        const queue = await this.#destination(target, event, field);
        if (queue === undefined) continue;
        const gathered = byQueue.get(queue);
        if (gathered !== undefined) gathered.push(event);
        else if (await isOwnQueue(queue)) throw goesRound(event, field, queue);
        else byQueue.set(queue, [event]);
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
    if (substitute === undefined) this.#job.statistics.increase("skipped", 1);
    return substitute;
  }

  async #substitute(
    target: Database,
    event: PgqEvent,
    field: string,
    name: string | null,
  ): Promise<string | undefined> {
    const rule = this.#job.config.get("missing_queue");
    if (rule === "skip") return undefined;
    if (rule === "create" && name !== null) {
      await createQueue(target, name);
      this.#job.log.info(`Created queue ${name} on ${target.label}`);
      return name;
    }
    if (!rules.includes(rule)) return rule;
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

function goesRound(event: PgqEvent, field: string, queue: string): SkytoolsError {
  const what =
    eventField(event, field) === queue
      ? `event ${event.id} is for queue "${queue}", which`
      : `event ${event.id} has no queue of its own, and missing_queue "${queue}"`;
  return ownQueueError(what, "Leave such events out with consumer_filter, or copy into another database.");
}

/** Source: spec/scripts.md section 3 */
export const queueSplitter = queueCopyProgram({
  service: "queue_splitter3",
  sectionAliases: ["queue_splitter"],
  summary: "copies each event of a queue into the queue that one of its fields names, exactly once",
  copier: (job) => new QueueSplitter(job),
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
