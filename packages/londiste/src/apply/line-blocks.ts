import { HighestId } from "@skytools/pgq";

const tab = 0x09;
const newline = 0x0a;
const blockBytes = 32 * 1024;

/** Cuts a COPY stream into blocks of whole lines, small ones where lines are; only a line that spans chunks is copied. */
export async function* lineBlocks(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  const pieces: Buffer[] = [];
  for await (const chunk of stream) {
    const firstEnd = chunk.indexOf(newline) + 1;
    if (firstEnd === 0) {
      pieces.push(chunk);
      continue;
    }
    const lastEnd = chunk.lastIndexOf(newline) + 1;
    if (pieces.length > 0) {
      pieces.push(chunk.subarray(0, firstEnd));
      yield Buffer.concat(pieces);
      pieces.length = 0;
      yield* blocksOf(chunk, firstEnd, lastEnd);
    } else {
      yield* blocksOf(chunk, 0, lastEnd);
    }
    if (lastEnd < chunk.length) pieces.push(chunk.subarray(lastEnd));
  }
}

/** Small enough that whatever else is to be done meanwhile need not wait. */
function* blocksOf(chunk: Buffer, start: number, end: number): Generator<Buffer, void> {
  let at = start;
  while (end - at > blockBytes) {
    const blockEnd = chunk.indexOf(newline, at + blockBytes - 1) + 1;
    yield chunk.subarray(at, blockEnd);
    at = blockEnd;
  }
  if (at < end) yield chunk.subarray(at, end);
}

export function countLines(block: Buffer): number {
  let count = 0;
  for (let at = block.indexOf(newline); at >= 0; at = block.indexOf(newline, at + 1)) count += 1;
  return count;
}

/** Puts lines of events into the order of their ids, the third field.
 * @param blocks of whole lines; that they have that order already is what is to be expected */
export function inOrderOfIds(blocks: readonly Buffer[]): readonly Buffer[] {
  const lines = blocks.flatMap((block) => linesOf(block));
  const highest = new HighestId();
  const isOrdered = lines.every(({ bytes, idStart, idEnd }) => {
    const isHigher = highest.isBelow(bytes, idStart, idEnd);
    highest.take(bytes, idStart, idEnd);
    return isHigher;
  });
  if (isOrdered) return blocks;
  lines.sort((a, b) => compareIds(a, b));
  const sorted = Buffer.concat(lines.map(({ bytes }) => bytes));
  return [...blocksOf(sorted, 0, sorted.length)];
}

interface EventLine {
  /** with its line end */
  readonly bytes: Buffer;
  readonly idStart: number;
  readonly idEnd: number;
}

function linesOf(block: Buffer): EventLine[] {
  const lines: EventLine[] = [];
  for (let start = 0; start < block.length; ) {
    const end = block.indexOf(newline, start) + 1;
    const bytes = block.subarray(start, end);
    const idStart = bytes.indexOf(tab, bytes.indexOf(tab) + 1) + 1;
    lines.push({ bytes, idStart, idEnd: bytes.indexOf(tab, idStart) });
    start = end;
  }
  return lines;
}

/** Of numbers without sign the longer one is larger. */
function compareIds(a: EventLine, b: EventLine): number {
  const byLength = a.idEnd - a.idStart - (b.idEnd - b.idStart);
  return byLength || a.bytes.compare(b.bytes, b.idStart, b.idEnd, a.idStart, a.idEnd);
}
