import type { Database, Job } from "@skytools/skytools";
import type { BatchInfo } from "../batch.ts";
import type { PgqEvent } from "../event.ts";
import type { ConsumerState, NodeInfo } from "./node-info.ts";
import type { WorkerRole } from "./worker-role.ts";

/** Where a cascaded loop stands in one round: everything that was read at its start, from the target database. */
export interface CascadeRound {
  readonly job: Job;
  readonly queueName: string;
  readonly consumerName: string;
  readonly node: NodeInfo;
  /** what this consumer has to do on this node; re-derived each round */
  readonly role: WorkerRole;
  readonly state: ConsumerState;
  readonly target: Database;
  /** true: the local schema keeps the time of completed ticks, by which one is told from another of the same id */
  readonly storesTickTimes: boolean;
  /** true when the round before failed: go slowly and find the guilty event */
  readonly isAfterFailure: boolean;
  /** true when the round before found no batch, that is: the end of the queue was reached */
  readonly wasIdle: boolean;
}

/** A round that has an open batch. `source` has an open transaction (unless it is in autocommit mode). */
export interface CascadedBatch extends CascadeRound {
  readonly source: Database;
  readonly batch: BatchInfo;
  /** The SELECT that returns the events of the batch, in the column order of `eventColumns`, ordered by id; the text to
   * wrap in COPY (...) TO STDOUT. `where` is a condition over the event columns. */
  eventQuery(where?: string): Promise<string>;
  /** The events one by one, in order, with memory bounded by bytes. `where` as above. */
  events(where?: string): AsyncIterable<PgqEvent>;
  /** Replays a `pgq.*` event on the target, inside its open transaction: validates it, moves locations and watermarks.
   * Does nothing when this consumer is not the node's worker.
   * @throws SkytoolsError CASCADE_EVENT: an event that cannot be in this queue */
  applyCascadeEvent(event: PgqEvent): Promise<void>;
}

/** What `applyBatch` has done. */
export interface BatchOutcome {
  /** events read, for the `count` statistic; left out: those that went into the branch's queue */
  readonly eventCount?: number;
  /** highest event id of the batch, if known: becomes the event seq of the mirrored tick on a branch */
  readonly maxEventId?: bigint | undefined;
  /** SQL condition over the event columns: which events are to be copied into `role.copyTo`. The application has stored the others
   * itself, changed, or they are to stay behind; left out: all. */
  readonly queueFilter?: string | undefined;
}

/** What a program does with batches. Only `applyBatch` is required; `eventByEvent` builds one from an event callback.
 *
 * Order in a round with a batch: beforeBatch, applyBatch, (queue copy, position), commit of the target, mirrored tick,
 * finish_batch and commit of the source, afterBatch. Whatever throws leaves the batch open: it comes again. */
export interface CascadedApplication {
  /** Which events a merge leaf passes on into the combined queue: an SQL condition over the event columns. `pgq.*` events
   * stay behind in any case. */
  readonly mergeFilter?: string | undefined;
  /** `applyBatch` looks at `pgq.*` and retried events only. On a branch it is then called for a batch that has some, after the
   * batch was copied into the branch's queue. */
  readonly readsCascadeEventsOnly?: boolean;
  /** After each physical connect to the target database (for example: set session_replication_role). */
  connectTarget?(target: Database): Promise<void>;
  /** After each physical connect to the provider. */
  connectSource?(source: Database): Promise<void>;
  /** At the top of each round, root or not, with no transaction open; may use and commit the target. */
  beginRound?(round: CascadeRound): Promise<void>;
  /** With the batch open and due, before anything of it is applied; may commit the target and may wait.
   * "leave" gives the round up without touching the batch (it comes again): for a consumer that has reached its end,
   * or must let somebody else go first. */
  beforeBatch?(batch: CascadedBatch): Promise<"apply" | "leave">;
  /** Applies the whole batch within the target transaction; must not commit or roll back the target. It sees all events,
   * the `pgq.*` ones too, and hands those to `batch.applyCascadeEvent` in order. Data events are applied only when
   * `batch.role.appliesData`: on a merge leaf a batch may come whose data is there already. */
  applyBatch(batch: CascadedBatch): Promise<BatchOutcome>;
  /** After target, tick and source are committed. Not called for batches that were already applied. */
  afterBatch?(batch: CascadedBatch, outcome: BatchOutcome): Promise<void>;
  /** No batch waits; "busy" goes on at once, otherwise the loop sleeps. `source` is at hand except on a root. */
  idle?(round: CascadeRound, source: Database | undefined): Promise<"busy" | "idle">;
  /** On a root, once a round, after the watermark was published when due (for example: push sequences). */
  rootHousekeeping?(round: CascadeRound): Promise<void>;
  /** Before the round's loop starts, after one-shot switches. */
  startup?(): Promise<void>;
  /** SIGHUP, after the configuration was read again. */
  reload?(): Promise<void>;
  /** A round failed: drop what is held in memory. Connections are gone already. */
  reset?(): Promise<void>;
  /** Orderly end. */
  shutdown?(): Promise<void>;
}
