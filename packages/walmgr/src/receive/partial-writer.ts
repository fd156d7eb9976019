import { constants } from "node:fs";
import { join } from "node:path";
import { type OpenFile, openToWrite } from "@skytools/skytools";
import { syncDirectory } from "../archive/durable-file.ts";
import { formatLsn } from "../wal/lsn.ts";
import { WalError } from "../wal/wal-error.ts";
import { segmentAt, segmentStart } from "../wal/wal-name.ts";

/** The segment that is being received: `<segment>.partial`, of full size from the beginning, zeros where nothing came yet, so
 * that a recovery can use it at any moment. Bytes that are there already are written again, never cut off. */
export class PartialWriter {
  readonly segment: string;
  readonly path: string;
  readonly #handle: OpenFile;
  readonly #start: bigint;
  readonly #size: number;
  #writtenBytes = 0;

  private constructor(segment: string, path: string, handle: OpenFile, size: number) {
    this.segment = segment;
    this.path = path;
    this.#handle = handle;
    this.#size = size;
    this.#start = segmentStart(segment, size);
  }

  /** Opens the segment that holds a position. */
  static async open(directory: string, timeline: number, lsn: bigint, size: number): Promise<PartialWriter> {
    const segment = segmentAt(timeline, lsn, size);
    const path = join(directory, `${segment}.partial`);
    const handle = await openToWrite(
      path,
      constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW,
      0o600,
    );
    try {
      // Of another length after a crash or a full disk; what was received stays.
      if ((await handle.stat()).size !== size) await handle.truncate(size);
      await handle.sync();
      await syncDirectory(directory);
      return new PartialWriter(segment, path, handle, size);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  get isFull(): boolean {
    return this.#writtenBytes === this.#size;
  }

  /** the position after the last byte */
  get end(): bigint {
    return this.#start + BigInt(this.#writtenBytes);
  }

  /** Writes what of the data belongs to this segment.
   * @returns how many bytes that is
   * @throws WalError when the data do not continue what came before; the system's error, and then nothing counts as written */
  async write(lsn: bigint, data: Buffer): Promise<number> {
    if (lsn !== this.end) {
      throw new WalError(`WAL from ${formatLsn(this.end)} on was expected, ${formatLsn(lsn)} came`);
    }
    const bytes = Math.min(data.length, this.#size - this.#writtenBytes);
    await this.#handle.writeAt(data.subarray(0, bytes), this.#writtenBytes);
    this.#writtenBytes += bytes;
    return bytes;
  }

  async sync(): Promise<void> {
    await this.#handle.datasync();
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}
