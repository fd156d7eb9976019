const firstCapacity = 16 * 1024;
/** Limits of what is kept: the number of buffers, and the size of one. */
const mostSpares = 4;
const largestSpare = 4 * 1024 * 1024;
const newline = 0x0a;

/** Memory of contents that have been sent, for use by the next ones: allocating it anew each time would keep the garbage collector
 * busy. */
const spares: Buffer[] = [];

/** Gives the memory of a content back. Call it once, and do not touch the content afterwards. */
export function reuse({ buffer }: Buffer): void {
  const isWorthKeeping = buffer.byteLength > firstCapacity && buffer.byteLength <= largestSpare;
  if (isWorthKeeping && spares.length < mostSpares) spares.push(Buffer.from(buffer));
}

function takeSpare(length: number): Buffer | undefined {
  const nr = spares.findIndex((spare) => spare.length >= length);
  return nr < 0 ? undefined : spares.splice(nr, 1)[0];
}

/** Lines of COPY text on their way to a stage, as bytes. */
export class RowBuffer {
  // Memory of its own, never a part of what node shares out among small buffers: it is kept and used again.
  bytes: Buffer = Buffer.allocUnsafeSlow(firstCapacity);
  size = 0;
  rows = 0;

  /** Makes room behind `size`. */
  reserve(length: number): void {
    const wanted = this.size + length;
    if (wanted <= this.bytes.length) return;
    const larger = takeSpare(wanted) ?? Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, wanted));
    this.bytes.copy(larger, 0, 0, this.size);
    this.bytes = larger;
  }

  /** @param line latin1 */
  addLine(line: string): void {
    this.reserve(line.length + 1);
    this.size += this.bytes.write(`${line}\n`, this.size, "latin1");
    this.rows += 1;
  }

  addLines(lines: Buffer, rows: number): void {
    this.reserve(lines.length);
    this.size += lines.copy(this.bytes, this.size);
    this.rows += rows;
  }

  /** @param end position of the line end, which is not taken */
  appendLine(bytes: Buffer, start: number, end: number): void {
    this.reserve(end - start + 1);
    for (let at = start; at < end; at += 1) this.bytes[this.size++] = bytes[at]!;
    this.bytes[this.size++] = newline;
    this.rows += 1;
  }

  /** Takes the last line back. */
  cutLine(start: number): void {
    this.size = start;
    this.rows -= 1;
  }

  /** Gives the content away and starts anew. */
  take(): { readonly content: Buffer; readonly rows: number } {
    const taken = { content: this.bytes.subarray(0, this.size), rows: this.rows };
    this.bytes = Buffer.allocUnsafeSlow(firstCapacity);
    this.size = 0;
    this.rows = 0;
    return taken;
  }
}
