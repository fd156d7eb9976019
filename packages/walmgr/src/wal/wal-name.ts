/** What the name of a file in an archive says. */
export type WalName =
  | { readonly kind: "segment"; readonly timeline: number; readonly segment: string }
  | { readonly kind: "partial"; readonly timeline: number; readonly segment: string }
  | { readonly kind: "backup"; readonly timeline: number; readonly segment: string }
  | { readonly kind: "history"; readonly timeline: number };

/** Reads a name that PostgreSQL gives to a WAL file; undefined for every other text, so a name that this
 * accepts is safe as the last part of a path.
 * Source: PostgreSQL manual, "Continuous Archiving"; spec/walmgr.md 6.1 */
export function parseWalName(name: string): WalName | undefined {
  const parts = /^([0-9A-F]{8})(?:([0-9A-F]{16})(\.partial|\.[0-9A-F]{8}\.backup)?|(\.history))$/.exec(name);
  if (parts === null) return undefined;
  const timeline = Number.parseInt(parts[1]!, 16);
  if (timeline === 0) return undefined;
  if (parts[4] !== undefined) return { kind: "history", timeline };
  const segment = name.slice(0, 24);
  if (parts[3] === undefined) return { kind: "segment", timeline, segment };
  return { kind: parts[3] === ".partial" ? "partial" : "backup", timeline, segment };
}

/** The number of a segment within the whole WAL stream.
 * @param segment 24 hexadecimal digits */
export function segmentNumber(segment: string, segmentSize: number): bigint {
  const log = BigInt(`0x${segment.slice(8, 16)}`);
  const part = BigInt(`0x${segment.slice(16, 24)}`);
  return log * segmentsPerLog(segmentSize) + part;
}

export function segmentName(timeline: number, number: bigint, segmentSize: number): string {
  const perLog = segmentsPerLog(segmentSize);
  return hex8(BigInt(timeline)) + hex8(number / perLog) + hex8(number % perLog);
}

/** The segment that holds the byte at a position. */
export function segmentAt(timeline: number, lsn: bigint, segmentSize: number): string {
  return segmentName(timeline, lsn / BigInt(segmentSize), segmentSize);
}

/** The position of a segment's first byte. */
export function segmentStart(segment: string, segmentSize: number): bigint {
  return segmentNumber(segment, segmentSize) * BigInt(segmentSize);
}

export function historyName(timeline: number): string {
  return `${hex8(BigInt(timeline))}.history`;
}

export function timelineOf(segment: string): number {
  return Number.parseInt(segment.slice(0, 8), 16);
}

/** The order in which a server offers files: histories first, then by name. */
export function byArchiveOrder(a: string, b: string): number {
  const rank = (name: string) => (name.endsWith(".history") ? 0 : 1);
  return rank(a) - rank(b) || (a < b ? -1 : a > b ? 1 : 0);
}

function segmentsPerLog(segmentSize: number): bigint {
  return 0x1_0000_0000n / BigInt(segmentSize);
}

function hex8(value: bigint): string {
  return value.toString(16).toUpperCase().padStart(8, "0");
}
