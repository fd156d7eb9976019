const firstCapacity = 16 * 1024;
const newline = 0x0a;

/** Lines of COPY text on their way to a stage, as bytes. */
export class RowBuffer {
  bytes: Buffer = Buffer.allocUnsafe(firstCapacity);
  size = 0;
  rows = 0;

  /** Makes room behind `size`. */
  reserve(length: number): void {
    if (this.size + length <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.size + length));
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
    this.bytes = Buffer.allocUnsafe(firstCapacity);
    this.size = 0;
    this.rows = 0;
    return taken;
  }
}
