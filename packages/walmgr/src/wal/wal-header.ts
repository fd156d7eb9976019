import { foreignFile } from "./wal-error.ts";
import { segmentStart, timelineOf } from "./wal-name.ts";

/** The long header of a segment's first page. */
export interface WalHeader {
  /** undefined for a release that is not known here */
  readonly major: number | undefined;
  readonly timeline: number;
  readonly pageAddress: bigint;
  readonly systemIdentifier: string;
  readonly segmentSize: number;
  readonly blockSize: number;
}

/** Bytes of a long header. */
export const walHeaderBytes = 40;

const longHeaderFlag = 0x0002;
const majorOfMagic = new Map([
  [0xd10d, 14],
  [0xd110, 15],
  [0xd113, 16],
  [0xd116, 17],
  [0xd118, 18],
]);

/** Reads the beginning of a segment; undefined when there is no long header, as in a file of zeros.
 * Source: spec/walmgr.md 6.7; XLogLongPageHeaderData in PostgreSQL's xlog_internal.h */
export function readWalHeader(bytes: Buffer): WalHeader | undefined {
  if (bytes.length < walHeaderBytes) return undefined;
  const magic = bytes.readUInt16LE(0);
  const segmentSize = bytes.readUInt32LE(32);
  const blockSize = bytes.readUInt32LE(36);
  const areSizes = isSize(segmentSize, 1 << 20, 1 << 30) && isSize(blockSize, 1 << 10, 1 << 16);
  if (magic >> 8 !== 0xd1 || (bytes.readUInt16LE(2) & longHeaderFlag) === 0 || !areSizes) return undefined;
  return {
    major: majorOfMagic.get(magic),
    timeline: bytes.readUInt32LE(4),
    pageAddress: bytes.readBigUInt64LE(8),
    systemIdentifier: bytes.readBigUInt64LE(24).toString(),
    segmentSize,
    blockSize,
  };
}

/** A power of two. */
function isSize(bytes: number, least: number, most: number): boolean {
  return bytes >= least && bytes <= most && (bytes & (bytes - 1)) === 0;
}

/** Checks that a file is the whole segment that its name says.
 * @param head its first bytes
 * @param size its length in bytes
 * @throws WalError, exit code 44 */
export function checkSegment(segment: string, head: Buffer, size: number): WalHeader {
  const header = readWalHeader(head);
  if (header === undefined) {
    throw foreignFile(
      size === 0
        ? `segment ${segment} is empty`
        : `segment ${segment} does not begin with a WAL header (${size} bytes)`,
    );
  }
  if (size !== header.segmentSize) {
    throw foreignFile(`segment ${segment} is ${size} bytes long, its header says ${header.segmentSize}`);
  }
  if (header.pageAddress !== segmentStart(segment, header.segmentSize)) {
    throw foreignFile(`segment ${segment} holds WAL of another position than its name says`);
  }
  // The first segment after a promotion begins with pages of the parent timeline, whose number is lower.
  if (header.timeline > timelineOf(segment)) {
    throw foreignFile(`segment ${segment} holds WAL of the later timeline ${header.timeline}`);
  }
  return header;
}
