import { Transform } from "node:stream";
import { SkytoolsError } from "../errors.ts";

const newline = 0x0a;

/** Cuts the bytes of COPY text format into rows: a raw newline ends a row, within a value it is escaped.
 * Source: PostgreSQL manual, COPY "Text Format". */
export class CopyRowSplitter {
  #rest: Buffer[] = [];

  /** @returns the rows that are complete now, without their newline; they share memory with the chunk */
  push(chunk: Buffer): Buffer[] {
    const rows: Buffer[] = [];
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      const piece = chunk.subarray(start, end);
      rows.push(this.#rest.length === 0 ? piece : Buffer.concat([...this.#rest, piece]));
      this.#rest = [];
      start = end + 1;
    }
    if (start < chunk.length) this.#rest.push(chunk.subarray(start));
    return rows;
  }

  /** @throws SkytoolsError COPY_ROW_CUT when the last row has no end */
  end(): void {
    if (this.#rest.length > 0) throw new SkytoolsError("COPY_ROW_CUT", "copy data ends within a row");
  }
}

/** The rows of a copyOut() stream in text format, as many at once as one chunk completed, without newline.
 * @throws what the stream throws, SkytoolsError COPY_ROW_CUT */
export async function* readCopyRows(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer[]> {
  const splitter = new CopyRowSplitter();
  for await (const chunk of stream) {
    const rows = splitter.push(chunk);
    if (rows.length > 0) yield rows;
  }
  splitter.end();
}

/** A transform for pipeCopy() that sees each row of the text format, without newline.
 * @param rewrite returns the row to send, or undefined to leave it out */
export function rewriteCopyRows(rewrite: (row: Buffer) => Buffer | string | undefined): Transform {
  const splitter = new CopyRowSplitter();
  const lineEnd = Buffer.from("\n");
  return new Transform({
    transform(chunk: Buffer, _encoding, callback) {
      try {
        const pieces: Buffer[] = [];
        for (const row of splitter.push(chunk)) {
          const rewritten = rewrite(row);
          if (rewritten === undefined) continue;
          pieces.push(typeof rewritten === "string" ? Buffer.from(rewritten) : rewritten, lineEnd);
        }
        callback(null, pieces.length === 0 ? undefined : Buffer.concat(pieces));
      } catch (error) {
        callback(error instanceof Error ? error : new Error(String(error)));
      }
    },
    flush(callback) {
      try {
        splitter.end();
        callback();
      } catch (error) {
        callback(error instanceof Error ? error : new Error(String(error)));
      }
    },
  });
}
