import { type Database, GrowingPause, type Job, SkytoolsError } from "@skytools/skytools";
import type { ConsumerState } from "./node-info.ts";
import { getConsumerState, isRefusal } from "./pgq-node-api.ts";

/** A cascaded consumer on some node. */
export interface ConsumerPlace {
  readonly db: Database;
  readonly queueName: string;
  readonly nodeName: string;
  readonly consumerName: string;
}

/** The consumer's state; leaves no transaction open.
 * @throws SkytoolsError CASCADE_NODE when the node does not know it */
export async function readConsumer(place: ConsumerPlace): Promise<ConsumerState> {
  const state = await getConsumerState(place.db, place.queueName, place.consumerName);
  await place.db.commit();
  if (!isRefusal(state)) return state;
  throw new SkytoolsError("CASCADE_NODE", `${state.note} (on ${place.db.label})`);
}

/** Waits until the consumer's process has seen what was changed.
 * @param timeoutSeconds 0: no limit
 * @throws SkytoolsError CASCADE_TIMEOUT when it does not answer in time; the change stays and counts when it runs again */
export async function waitForConsumer(
  job: Job,
  place: ConsumerPlace,
  isPaused: boolean,
  timeoutSeconds: number,
): Promise<ConsumerState> {
  const deadline = performance.now() + timeoutSeconds * 1000;
  const pause = new GrowingPause(job);
  for (;;) {
    const state = await readConsumer(place);
    if (state.isPaused !== isPaused) {
      throw new SkytoolsError(
        "CASCADE_CANCELED",
        `operation canceled? consumer "${place.consumerName}" on node "${place.nodeName}" is ${state.isPaused ? "paused" : "running"} again`,
      );
    }
    if (state.isUptodate) return state;
    if (job.isStopping || (timeoutSeconds > 0 && performance.now() > deadline)) {
      throw notAnswering(place, timeoutSeconds);
    }
    await pause.take();
  }
}

function notAnswering(place: ConsumerPlace, timeoutSeconds: number): SkytoolsError {
  return new SkytoolsError(
    "CASCADE_TIMEOUT",
    `worker "${place.consumerName}" on node "${place.nodeName}" has not answered within ${timeoutSeconds} s`,
    {
      hint: "Is its process running? The request is stored and takes effect when the worker comes to it; --timeout gives it longer.",
    },
  );
}
