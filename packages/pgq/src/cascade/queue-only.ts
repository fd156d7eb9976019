import { refuseRetriedEvent } from "./cascade-event.ts";
import type { CascadedApplication, CascadedBatch } from "./cascaded-application.ts";

/** An application without data of its own, for a node that only passes the queue on: replays the cascade's events and leaves
 * the others unread. Source: spec/cascade.md 7.3 */
export function queueOnly(): CascadedApplication {
  return {
    readsCascadeEventsOnly: true,
    applyBatch: async (batch: CascadedBatch) => {
      for await (const event of batch.events("ev_type like 'pgq.%' or ev_retry is not null")) {
        refuseRetriedEvent(event);
        await batch.applyCascadeEvent(event);
      }
      return {};
    },
  };
}
