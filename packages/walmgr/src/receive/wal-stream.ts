import { crashPoint, type ReplicationConnection } from "@skytools/skytools";
import { formatLsn, parseLsn } from "../wal/lsn.ts";
import { WalError } from "../wal/wal-error.ts";
import { PartialWriter } from "./partial-writer.ts";
import type { StreamPosition } from "./start-position.ts";
import { parseStreamMessage, statusUpdate } from "./stream-message.ts";

export interface WalStreamOptions {
  readonly connection: ReplicationConnection;
  readonly slotName: string;
  readonly partialWals: string;
  readonly segmentSize: number;
  /** A segment is complete and on the disk; when it returns, the file may go. */
  readonly onSegment: (segment: string, path: string) => Promise<void>;
  /** Everything before the position is on the disk. */
  readonly onFlushed: (flushed: bigint, isCaughtUp: boolean) => void;
}

/** How a stream ended: the server was told to, or its timeline has ended. */
export type StreamEnd =
  | { readonly kind: "stopped" }
  | { readonly kind: "next-timeline"; readonly next: StreamPosition };

const statusIntervalMs = 5000;
const silenceMs = 60_000;
const waitingBytes = 8 << 20;

/** Receives WAL of one timeline. Bytes are written in the order of arrival by one writer; what has arrived meanwhile goes to
 * the disk with one sync, and only then the server hears of it: a commit that waits for this receiver is safe.
 * Source: spec/walmgr.md 12.3 */
export class WalStream {
  readonly #options: WalStreamOptions;
  readonly #timeline: number;
  #writer: PartialWriter | undefined;
  #received: { lsn: bigint; data: Buffer }[] = [];
  #waiting = 0;
  #written: bigint;
  #flushed: bigint;
  #serverEnd = 0n;
  #isStopping = false;
  #work: Promise<void> | undefined;
  #failure: Error | undefined;
  #heardAt = performance.now();

  constructor(options: WalStreamOptions, position: StreamPosition) {
    this.#options = options;
    this.#timeline = position.timeline;
    this.#written = position.lsn;
    this.#flushed = position.lsn;
  }

  /** @throws DatabaseError, WalError, or the system's error */
  async run(): Promise<StreamEnd> {
    const { connection, slotName } = this.#options;
    const timer = setInterval(() => this.#tick(), statusIntervalMs);
    try {
      const slot = slotName.replaceAll('"', '""');
      const command = `START_REPLICATION SLOT "${slot}" PHYSICAL ${formatLsn(this.#written)} TIMELINE ${this.#timeline}`;
      const sets = await connection.run(command, {
        onCopyData: (payload) => this.#take(payload),
        // Ours was the first word when the stream is being stopped.
        onCopyDone: () => {
          if (!this.#isStopping) void this.#finish();
        },
      });
      await this.#work;
      if (this.#failure !== undefined) throw this.#failure;
      const row = sets.at(-1)?.[0];
      if (row?.next_tli == null) return { kind: "stopped" };
      const lsn = parseLsn(row.next_tli_startpos ?? "0/0");
      return { kind: "next-timeline", next: { timeline: Number(row.next_tli), lsn } };
    } catch (error) {
      await this.#work?.catch(() => undefined);
      throw this.#failure ?? error;
    } finally {
      clearInterval(timer);
      await this.#writer?.close();
      this.#writer = undefined;
    }
  }

  /** Ends the stream in order; `run` returns when the server agrees. */
  stop(): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    void this.#finish();
  }

  async #finish(): Promise<void> {
    await this.#work?.catch(() => undefined);
    this.#report(false);
    this.#options.connection.sendCopyDone();
  }

  #take(payload: Buffer): void {
    this.#heardAt = performance.now();
    const message = parseStreamMessage(payload);
    if (message === undefined || this.#isStopping) return;
    this.#serverEnd = message.serverEnd;
    if (message.kind === "wal") {
      this.#received.push({ lsn: message.start, data: Buffer.from(message.data) });
      this.#waiting += message.data.length;
      if (this.#waiting > waitingBytes) this.#options.connection.pause();
    }
    this.#work ??= this.#drain();
  }

  async #drain(): Promise<void> {
    try {
      // Whatever else is in the socket now becomes part of the same round.
      await new Promise((resolve) => setImmediate(resolve));
      do {
        const round = this.#received;
        this.#received = [];
        for (const { lsn, data } of round) await this.#write(lsn, data);
        await this.#writer?.sync();
        crashPoint("receiver.synced");
        this.#flushed = this.#written;
        this.#waiting = this.#received.reduce((sum, each) => sum + each.data.length, 0);
        this.#options.connection.resume();
        this.#report(false);
        this.#options.onFlushed(this.#flushed, this.#flushed >= this.#serverEnd);
      } while (this.#received.length > 0);
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error(String(error));
      this.#options.connection.close();
    } finally {
      this.#work = undefined;
    }
  }

  async #write(lsn: bigint, data: Buffer): Promise<void> {
    const { partialWals, segmentSize, onSegment } = this.#options;
    let at = 0;
    while (at < data.length) {
      this.#writer ??= await PartialWriter.open(partialWals, this.#timeline, lsn + BigInt(at), segmentSize);
      at += await this.#writer.write(lsn + BigInt(at), data.subarray(at));
      this.#written = this.#writer.end;
      crashPoint("receiver.written");
      if (!this.#writer.isFull) continue;
      const { segment, path } = this.#writer;
      await this.#writer.sync();
      await this.#writer.close();
      this.#writer = undefined;
      await onSegment(segment, path);
    }
  }

  #report(wantsReply: boolean): void {
    this.#options.connection.sendCopyData(statusUpdate(this.#written, this.#flushed, wantsReply));
  }

  #tick(): void {
    if (performance.now() - this.#heardAt > silenceMs) {
      this.#failure ??= new WalError(`the server is silent for ${silenceMs / 1000} s`, {
        retry: "reconnect",
      });
      this.#options.connection.close();
      return;
    }
    if (this.#work === undefined) this.#report(true);
  }
}
