import type { Job, LoopBody } from "@skytools/skytools";
import type { CascadedApplication } from "./cascaded-application.ts";

export interface CascadedWorkerOptions {
  /** config key of the local database */
  readonly targetKey: string;
  readonly queueName: string;
  readonly consumerName: string;
  /** true: the node's worker; false: a plain cascaded consumer, which skips `pgq.*` events */
  readonly isNodeWorker: boolean;
}

/** The work loop of a cascaded consumer: reads batches from the provider that the local node names, applies each within one
 * target transaction that also moves the position, then finishes it on the provider. May die anywhere and be started again.
 * Source: spec/cascade.md 7.3 */
export type CascadedWorkerFactory = (
  job: Job,
  application: CascadedApplication,
  options: CascadedWorkerOptions,
) => LoopBody;
