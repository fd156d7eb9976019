import { Readable } from "node:stream";
import {
  crashPoint,
  type Job,
  type LoopBody,
  ReplicationConnection,
  removePath,
  SkytoolsError,
} from "@skytools/skytools";
import { claimIdentity } from "../archive/archive-identity.ts";
import type { LocalArchive } from "../archive/local-archive.ts";
import { localSource } from "../archive/local-source.ts";
import { askServer, type ServerFacts } from "../place/server-facts.ts";
import type { Settings } from "../place/settings.ts";
import { ensureSlot } from "../standby/replication-slot.ts";
import { formatLsn } from "../wal/lsn.ts";
import { hookExit, WalError } from "../wal/wal-error.ts";
import { historyName, segmentAt, segmentStart } from "../wal/wal-name.ts";
import { keepReceived, reportKept, settleReceived } from "./kept-segment.ts";
import { type ReceiverState, readReceiverState, writeReceiverState } from "./receiver-state.ts";
import { type StreamPosition, startPosition } from "./start-position.ts";
import { WalStream } from "./wal-stream.ts";

const stateIntervalMs = 1000;

/** Streams WAL into the archive, up to the last flushed byte of the primary. A slot makes the primary keep what was not
 * received yet, so either side may be away for a while.
 * Source: spec/walmgr.md 5.10, 12.3 */
export class WalReceiver implements LoopBody {
  readonly #job: Job;
  readonly #settings: Settings;
  readonly #archive: LocalArchive;
  #stream: WalStream | undefined;
  #state: ReceiverState | undefined;
  #stateWrittenAt = 0;
  /** one after the other: they share a draft */
  #stateWritten: Promise<void> = Promise.resolve();
  #timeline = 0;

  constructor(job: Job, settings: Settings) {
    this.#job = job;
    this.#settings = settings;
    this.#archive = settings.localArchive();
  }

  get #conninfo(): string {
    const keys = ["receive_conninfo", this.#settings.role === "primary" ? "master_db" : "primary_conninfo"];
    const key = keys.find((each) => this.#settings.has(each));
    if (key !== undefined) return this.#settings.config.get(key);
    throw this.#settings.error("receive_conninfo", "required key is not set: the receiver needs a primary");
  }

  async work(): Promise<"busy" | "idle"> {
    const { log } = this.#job;
    const slotName = this.#settings.config.get("slot_name");
    const connection = await ReplicationConnection.open(this.#conninfo, { applicationName: "walmgr" });
    const watch = setInterval(() => {
      if (this.#job.isStopping) this.#stream?.stop();
    }, 100);
    try {
      const facts = await askServer(connection);
      await claimIdentity(this.#archive.place, facts);
      await ensureSlot(connection, slotName);
      const { partial } = this.#settings.paths;
      await settleReceived(this.#archive, partial, log);
      let position = await startPosition(connection, facts, this.#archive, partial, slotName);
      while (!this.#job.isStopping) {
        log.info(
          `Receiving from ${formatLsn(position.lsn)} on timeline ${position.timeline}, slot ${slotName}`,
        );
        const next = await this.#receive(connection, facts, slotName, position);
        if (next === undefined) break;
        position = next;
      }
      return "idle";
    } finally {
      clearInterval(watch);
      connection.close();
      await this.#writeState();
    }
  }

  /** @returns where to go on, undefined when the stream was stopped */
  async #receive(
    connection: ReplicationConnection,
    facts: ServerFacts,
    slotName: string,
    position: StreamPosition,
  ): Promise<StreamPosition | undefined> {
    this.#timeline = position.timeline;
    this.#stream = new WalStream(
      {
        connection,
        slotName,
        partialWals: this.#settings.paths.partial,
        segmentSize: facts.segmentSize,
        onSegment: (segment, path) => this.#complete(segment, path),
        onFlushed: (flushed, isCaughtUp) => this.#note(flushed, isCaughtUp),
      },
      position,
    );
    const end = await this.#stream.run().catch((error: unknown) => this.#explain(error, position));
    this.#stream = undefined;
    if (end.kind === "stopped") return undefined;
    await this.#storeHistory(connection, end.next.timeline);
    const segment = segmentAt(end.next.timeline, end.next.lsn, facts.segmentSize);
    return { timeline: end.next.timeline, lsn: segmentStart(segment, facts.segmentSize) };
  }

  #explain(error: unknown, position: StreamPosition): never {
    if (error instanceof SkytoolsError && /has already been removed/.test(error.message)) {
      throw new WalError(
        `the primary does not have WAL from ${formatLsn(position.lsn)} on any more: ${error.message}`,
        {
          hint:
            "The archive may still get it from archive_command; walmgr verify names a gap. " +
            "Take a new backup, and remove the begun segment from partial_wals.",
          retry: "later",
        },
      );
    }
    throw error;
  }

  async #storeHistory(connection: ReplicationConnection, timeline: number): Promise<void> {
    const row = await connection.runForRow(`TIMELINE_HISTORY ${timeline}`);
    const content = Buffer.from(row.content ?? "");
    const source = {
      name: historyName(timeline),
      sizeBytes: content.length,
      head: content,
      open: () => Readable.from([content]),
    };
    const { failure } = await this.#archive.store([source]);
    if (failure !== undefined) throw failure;
    this.#job.log.info(`The primary is on timeline ${timeline} now`);
  }

  /** A segment of which the archive has another, or a damaged, copy is kept beside it. The stream goes on: it is on the disk, and the
   * segments that follow are worth having, while a slot that stands still fills the primary's disk. */
  async #complete(segment: string, path: string): Promise<void> {
    const { stored, failure } = await this.#archive.store([await localSource(segment, path)]);
    if (failure !== undefined) {
      const isDifferent = failure instanceof SkytoolsError && failure.exitCode === hookExit.differs;
      if (!isDifferent) throw failure;
      this.#job.log.error(failure.message);
      reportKept(this.#job.log, segment, await keepReceived(this.#settings.paths.partial, segment, true));
      return;
    }
    crashPoint("receiver.segment-stored");
    await removePath(path, { force: true });
    this.#job.statistics.increase("segments");
    if (stored[0]?.isNew === true) this.#job.log.debug(`${segment}: received`);
  }

  #note(flushed: bigint, isCaughtUp: boolean): void {
    const now = new Date().toISOString();
    this.#state = {
      pid: process.pid,
      timeline: this.#timeline,
      flushedLsn: formatLsn(flushed),
      caughtUpAt: isCaughtUp
        ? now
        : (this.#state ?? readReceiverState(this.#settings.paths.partial))?.caughtUpAt,
      updatedAt: now,
    };
    if (performance.now() - this.#stateWrittenAt < stateIntervalMs) return;
    this.#stateWrittenAt = performance.now();
    void this.#writeState();
  }

  /** A note that cannot be made ends nothing, and hides nothing. */
  #writeState(): Promise<void> {
    this.#stateWritten = this.#stateWritten
      .then(async () => {
        if (this.#state !== undefined) await writeReceiverState(this.#settings.paths.partial, this.#state);
      })
      .catch((error: unknown) => this.#job.log.warn(`cannot write the receiver's state: ${String(error)}`));
    return this.#stateWritten;
  }
}
