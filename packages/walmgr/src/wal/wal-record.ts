import { crc32c } from "./crc32c.ts";

const recordHeaderBytes = 24;
const crcOffset = 20;
const pageHeaderBytes = 24;
const longPageHeaderBytes = 40;
const continuedFlag = 0x0001;
const restOffset = 16;

/** Sizes in bytes that a cluster's WAL has. */
export interface WalLayout {
  readonly segmentSize: number;
  readonly blockSize: number;
}

/** Consecutive WAL pages of one cluster. */
export interface WalPages extends WalLayout {
  /** position of the first byte, the beginning of a page */
  readonly start: bigint;
  readonly bytes: Buffer;
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

/** Where a record that begins at a position ends, as its header says, whether all of it is there or not.
 * @returns undefined when no record's header is there */
export function recordEndAt(pages: WalPages, lsn: bigint): bigint | undefined {
  const header = new RecordBytes(pages, Number(lsn - pages.start)).take(recordHeaderBytes);
  if (header === undefined) return undefined;
  const length = header.readUInt32LE(0);
  if (length < recordHeaderBytes || header.readBigUInt64LE(8) >= lsn) return undefined;
  return endOfBytes(pages, lsn, length);
}

/** Where a record ends that goes on at the beginning of a page; undefined when none does, or when the page has other content.
 * @param page its header at least */
export function continuedEndAt(layout: WalLayout, page: Buffer, lsn: bigint): bigint | undefined {
  if (page.length < pageHeaderBytes || !isPageOf(page, lsn)) return undefined;
  const isContinued = (page.readUInt16LE(2) & continuedFlag) !== 0;
  return isContinued ? endOfBytes(layout, lsn, page.readUInt32LE(restOffset)) : undefined;
}

function endOfBytes(layout: WalLayout, lsn: bigint, count: number): bigint {
  const blockSize = BigInt(layout.blockSize);
  let at = lsn;
  for (let missing = BigInt(count); missing > 0n; ) {
    if (at % blockSize === 0n) at += BigInt(headerBytesAt(layout, at));
    const room = blockSize - (at % blockSize);
    const part = missing < room ? missing : room;
    at += part;
    missing -= part;
  }
  return at;
}

function headerBytesAt({ segmentSize }: WalLayout, page: bigint): number {
  return page % BigInt(segmentSize) === 0n ? longPageHeaderBytes : pageHeaderBytes;
}

/** A page that still has the content of an older segment, or none, carries another position. */
function isPageOf(page: Buffer, lsn: bigint): boolean {
  return page[1] === 0xd1 && page.readBigUInt64LE(8) === lsn;
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

  #isWritten(page: number): boolean {
    const { bytes, start } = this.#pages;
    if (page + pageHeaderBytes > bytes.length) return false;
    return isPageOf(bytes.subarray(page), start + BigInt(page));
  }

  #headerBytes(page: number): number {
    return headerBytesAt(this.#pages, this.#pages.start + BigInt(page));
  }
}
