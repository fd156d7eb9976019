import type { RowOperation } from "./event-kind.ts";
import type { KeyReader } from "./key-reader.ts";
import { KeySet } from "./key-set.ts";
import type { PassedRows } from "./passed-rows.ts";
import { RowBuffer } from "./row-buffer.ts";
import type { RowTranscoder } from "./row-transcoder.ts";
import { operationLetters } from "./set-statement.ts";

const newline = 0x0a;

/** What became of a row.
 * - taken
 * - refused: its bytes need a longer look
 * - known: its key, or one that looks like it, is among the rows already
 * - unclear: whether its key is among them cannot be told
 * - late: a later change of its key may have been applied */
export type RowFate = "taken" | "refused" | "known" | "unclear" | "late";

/** Rows of one table whose keys all differ, so that nothing has to be folded. */
export interface DistinctContent {
  /** COPY lines of the table's columns */
  readonly inserts: Buffer;
  /** id and txid of each insert, a line each */
  readonly heads: Buffer;
  /** updates and deletes as COPY lines of a stage */
  readonly changes: Buffer;
  readonly rows: number;
  readonly updates: number;
  readonly deletes: number;
}

/** Collects rows as long as no key comes twice: inserts in the form in which the table takes them, the others for a stage. */
export class DistinctRows {
  readonly #reader: KeyReader | undefined;
  readonly #passed: PassedRows | undefined;
  readonly #keys = new KeySet();
  readonly #inserts = new RowBuffer();
  readonly #heads = new RowBuffer();
  readonly #changes = new RowBuffer();
  #updates = 0;
  #deletes = 0;

  /** @param reader undefined: the rows have no key, all are inserts
   * @param passed what has been applied already; undefined when rows come in the order of their events */
  constructor(reader: KeyReader | undefined, passed: PassedRows | undefined) {
    this.#reader = reader;
    this.#passed = passed;
  }

  get size(): number {
    return this.#inserts.size + this.#heads.size + this.#changes.size;
  }

  get rows(): number {
    return this.#inserts.rows + this.#changes.rows;
  }

  /** @param headStart of id and txid within the block, which also holds the data */
  takeBytes(
    transcoder: RowTranscoder,
    operation: RowOperation,
    block: Buffer,
    headStart: number,
    headEnd: number,
    dataStart: number,
    dataEnd: number,
  ): RowFate {
    const isInsert = operation === "insert";
    const letter = isInsert ? 0 : operationLetters[operation].charCodeAt(0);
    const to = isInsert ? this.#inserts : this.#changes;
    const lineStart = to.size;
    const first = transcoder.transcode(block, headStart, headEnd, letter, dataStart, dataEnd, to);
    if (first < 0) return "refused";
    const fate = this.#judge(to, first, block, headStart, headEnd);
    if (fate !== "taken") {
      to.cutLine(lineStart);
      return fate;
    }
    if (isInsert) this.#heads.appendLine(block, headStart, headEnd);
    this.#count(operation);
    return fate;
  }

  /** @param head id and txid, a tab between
   * @param values raw, latin1 */
  takeValues(operation: RowOperation, head: string, values: readonly string[]): RowFate {
    const isInsert = operation === "insert";
    const to = isInsert ? this.#inserts : this.#changes;
    const lineStart = to.size;
    const prefix = isInsert ? "" : `${head}\t${operationLetters[operation]}\t`;
    to.addLine(`${prefix}${values.join("\t")}`);
    const headBytes = Buffer.from(head, "latin1");
    const fate = this.#judge(to, lineStart + prefix.length, headBytes, 0, headBytes.length);
    if (fate !== "taken") {
      to.cutLine(lineStart);
      return fate;
    }
    if (isInsert) this.#heads.addLine(head);
    this.#count(operation);
    return fate;
  }

  #count(operation: RowOperation): void {
    if (operation === "update") this.#updates += 1;
    if (operation === "delete") this.#deletes += 1;
  }

  #judge(to: RowBuffer, first: number, block: Buffer, headStart: number, headEnd: number): RowFate {
    const reader = this.#reader;
    if (reader !== undefined) {
      if (!reader.read(to.bytes, first)) return "unclear";
      if (this.#passed?.isLate(reader, block, headStart, headEnd) === true) return "late";
      if (!this.#keys.add(reader.first, reader.second)) return "known";
    }
    this.#passed?.collect(block, headStart, headEnd);
    return "taken";
  }

  /** Gives the rows away to be applied, and starts anew. */
  take(): DistinctContent {
    const rows = this.rows;
    const content = {
      inserts: this.#inserts.take().content,
      heads: this.#heads.take().content,
      changes: this.#changes.take().content,
      rows,
      updates: this.#updates,
      deletes: this.#deletes,
    };
    this.#passed?.pass(this.#keys);
    this.#keys.clear();
    this.#updates = 0;
    this.#deletes = 0;
    return content;
  }
}

/** All rows as lines of a stage: the changes, then the inserts. */
export function stageLines({ inserts, heads, changes }: DistinctContent): Buffer {
  const lines = new RowBuffer();
  lines.reserve(changes.length + inserts.length + heads.length * 2);
  lines.size = changes.copy(lines.bytes);
  let insertAt = 0;
  let headAt = 0;
  while (headAt < heads.length) {
    const insertEnd = inserts.indexOf(newline, insertAt) + 1;
    const headEnd = heads.indexOf(newline, headAt);
    const head = `${heads.toString("latin1", headAt, headEnd)}\t${operationLetters.insert}\t`;
    lines.reserve(head.length + insertEnd - insertAt);
    lines.size += lines.bytes.write(head, lines.size, "latin1");
    lines.size += inserts.copy(lines.bytes, lines.size, insertAt, insertEnd);
    insertAt = insertEnd;
    headAt = headEnd + 1;
  }
  return lines.take().content;
}
