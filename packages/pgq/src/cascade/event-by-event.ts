import { describeEvent, type PgqEvent } from "../event.ts";
import { isCascadeEvent, refuseRetriedEvent, unhandledEvent } from "./cascade-event.ts";
import type { CascadedApplication, CascadedBatch } from "./cascaded-application.ts";

/** An application that takes data events one at a time. */
export interface EventByEventApplication extends Omit<CascadedApplication, "applyBatch"> {
  /** Handles a data event within the target transaction. "unhandled" stops the queue with an error: an event that nobody
   * understands must not get lost. */
  processEvent(event: PgqEvent, batch: CascadedBatch): Promise<"handled" | "unhandled">;
}

/** Builds a batch application from an event callback: events in order, `pgq.*` events replayed, memory bounded.
 * A plain consumer ignores `pgq.*` events; retried events are an error in a cascaded queue. */
export function eventByEvent(application: EventByEventApplication): CascadedApplication {
  const applyBatch = async (batch: CascadedBatch) => {
    let eventCount = 0;
    let maxEventId = 0n;
    for await (const event of batch.events()) {
      refuseRetriedEvent(event);
      eventCount += 1;
      if (event.id > maxEventId) maxEventId = event.id;
      if (isCascadeEvent(event)) await batch.applyCascadeEvent(event);
      else if (batch.role.appliesData) await processEvent(application, event, batch);
    }
    return { eventCount, maxEventId: eventCount > 0 ? maxEventId : undefined };
  };
  return Object.assign(Object.create(application) as EventByEventApplication, { applyBatch });
}

async function processEvent(
  application: EventByEventApplication,
  event: PgqEvent,
  batch: CascadedBatch,
): Promise<void> {
  const verdict = await application.processEvent(event, batch);
  if (verdict === "handled") return;
  batch.job.log.debug(`nobody handles ${describeEvent(event)}`);
  throw unhandledEvent(batch.queueName, event);
}
