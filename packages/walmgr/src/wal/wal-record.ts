import { crc32c } from "./crc32c.ts";

const recordHeaderBytes = 24;
const crcOffset = 20;
const pageHeaderBytes = 24;
const longPageHeaderBytes = 40;

/** Consecutive WAL pages of one cluster. */
export interface WalPages {
  /** position of the first byte, the beginning of a page */
  readonly start: bigint;
  readonly bytes: Buffer;
  readonly segmentSize: number;
  readonly blockSize: number;
}

/** Whether a whole record, with a right checksum, begins at a position. Where replay ended, this tells whether it ended too
 * early: what recovery stops at is the first position for which it is false.
 * @param lsn within the pages; the end of the record before it
 * Source: XLogRecord and XLogPageHeaderData in PostgreSQL's xlogrecord.h and xlog_internal.h */
export function isRecordAt(pages: WalPages, lsn: bigint): boolean {
  const reader = new RecordBytes(pages, Number(lsn - pages.start));
  const header = reader.take(recordHeaderBytes);
  if (header === undefined) return false;
  const length = header.readUInt32LE(0);
  if (length < recordHeaderBytes || header.readBigUInt64LE(8) >= lsn) return false;
  const data = reader.take(length - recordHeaderBytes);
  if (data === undefined) return false;
  return crc32c(header.subarray(0, crcOffset), crc32c(data)) === header.readUInt32LE(crcOffset);
}

/** The bytes of records, without the headers of the pages that they run through. */
class RecordBytes {
  readonly #pages: WalPages;
  #at: number;

  constructor(pages: WalPages, at: number) {
    this.#pages = pages;
    this.#at = at;
  }

  /** @returns undefined where the pages end, or one of them was never written */
  take(count: number): Buffer | undefined {
    const { bytes, blockSize } = this.#pages;
    const parts: Buffer[] = [];
    for (let missing = count; missing > 0; ) {
      const page = this.#at - (this.#at % blockSize);
      if (!this.#isWritten(page)) return undefined;
      if (this.#at === page) this.#at += this.#headerBytes(page);
      const part = bytes.subarray(this.#at, Math.min(this.#at + missing, page + blockSize));
      if (part.length === 0) return undefined;
      parts.push(part);
      this.#at += part.length;
      missing -= part.length;
    }
    return Buffer.concat(parts);
  }

  /** A page that still has the content of an older segment, or none, carries another position. */
  #isWritten(page: number): boolean {
    const { bytes, start } = this.#pages;
    if (page + pageHeaderBytes > bytes.length) return false;
    return bytes[page + 1] === 0xd1 && bytes.readBigUInt64LE(page + 8) === start + BigInt(page);
  }

  #headerBytes(page: number): number {
    const { start, segmentSize } = this.#pages;
    return (start + BigInt(page)) % BigInt(segmentSize) === 0n ? longPageHeaderBytes : pageHeaderBytes;
  }
}
