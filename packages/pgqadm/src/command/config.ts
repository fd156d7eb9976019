import { type QueueInfo, setQueueConfig } from "@skytools/pgq";
import { type Command, dryRunSwitch, type Job, nearestName, printJson, UsageError } from "@skytools/skytools";
import { makeChange } from "../change.ts";
import { requireQueues } from "../require-queues.ts";

/** Parameters of a queue that may be set. Source: spec/sql-pgq.md, set_queue_config */
const parameters: Readonly<Record<string, (queue: QueueInfo) => string>> = {
  ticker_max_count: (queue) => String(queue.tickerMaxCount),
  ticker_max_lag: (queue) => queue.tickerMaxLag,
  ticker_idle_period: (queue) => queue.tickerIdlePeriod,
  rotation_period: (queue) => queue.rotationPeriod,
  ticker_paused: (queue) => String(queue.isTickerPaused),
  external_ticker: (queue) => String(queue.hasExternalTicker),
};

export const configCommand: Command = {
  name: "config",
  args: "[QUEUE] [PARAMETER=VALUE...]",
  summary: "show the parameters of all queues or of one, or set some",
  pidfile: "none",
  switches: [dryRunSwitch],
  async run(job) {
    const [queueName, ...words] = job.args;
    if (queueName === undefined || words.length === 0) await show(job, queueName);
    else await set(job, queueName, words.map(assignmentOf));
  },
};

interface Assignment {
  readonly parameter: string;
  readonly value: string;
}

/** The old name of a parameter has `queue_` before it. */
function assignmentOf(word: string): Assignment {
  const match = /^(?:queue_)?(\w+)=(.*)$/s.exec(word);
  if (match === null) throw new UsageError(`"${word}" is not of the form parameter=value`);
  const [, parameter, value] = match as unknown as [string, string, string];
  if (Object.hasOwn(parameters, parameter)) return { parameter, value };
  const nearest = nearestName(parameter, Object.keys(parameters));
  throw new UsageError(`a queue has no parameter "${parameter}"`, {
    hint:
      nearest === undefined
        ? `There are ${Object.keys(parameters).join(", ")}.`
        : `Perhaps ${nearest} is meant.`,
  });
}

async function set(job: Job, queueName: string, assignments: readonly Assignment[]): Promise<void> {
  const text = assignments.map(({ parameter, value }) => `${parameter}=${value}`).join(", ");
  await makeChange(job, `set ${text} of queue ${queueName}`, async (db) => {
    await requireQueues(db, queueName);
    for (const { parameter, value } of assignments) await setQueueConfig(db, queueName, parameter, value);
    return `queue ${queueName}: ${text}`;
  });
}

async function show(job: Job, queueName: string | undefined): Promise<void> {
  const db = await job.databases.get("db");
  const queues = (await requireQueues(db, queueName)).map((queue) => ({
    queue: queue.queueName,
    parameters: Object.entries(parameters).map(([name, read]) => [name, read(queue)] as const),
  }));
  await db.commit();
  if (job.json) {
    printJson(
      job.stdout,
      queues.map(({ queue, parameters: values }) => ({ queue, ...Object.fromEntries(values) })),
    );
    return;
  }
  for (const { queue, parameters: values } of queues) {
    job.stdout.write(`${queue}\n${values.map(([name, value]) => `    ${name} = ${value}\n`).join("")}`);
  }
}
