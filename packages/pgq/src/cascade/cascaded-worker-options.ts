import type { Database } from "@skytools/skytools";
import type { CascadeRound } from "./cascaded-application.ts";
import type { ConsumerName } from "./node-session.ts";

export interface CascadedWorkerOptions extends ConsumerName {
  /** true: the node's worker; false: a plain cascaded consumer, which skips `pgq.*` events */
  readonly isNodeWorker: boolean;
  /** true while batches must end at each tick, whatever pgq_batch_collect_* says; asked before each batch */
  readonly takesEachTick?: () => boolean;
  /** how much time the next batch is to span in spite of that, PostgreSQL interval text; undefined: one tick */
  readonly span?: (round: CascadeRound, source: Database) => Promise<string | undefined>;
}
