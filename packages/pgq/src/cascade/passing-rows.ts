import { HighestId } from "../highest-id.ts";

/** the longest end of a row that matters: tab, 19 digits, newline */
const keptBytes = 24;
const newline = 0x0a;
const tab = 0x09;

const cascadeRow = Buffer.from("\npgq.");

/** Learns what a worker must know of a batch from the rows of its COPY as they pass, without parsing them: whether `pgq.*`
 * events are among them, and the highest event id. The rows come in any order and have `ev_type` as first and `ev_id` as last
 * column. In COPY's text format a newline is never part of a value, so a search over the bytes is exact.
 * Source: PostgreSQL manual, COPY, "Text Format" */
export class PassingRows {
  #end = Buffer.from("\n");
  #hasCascadeEvents = false;
  readonly #highestId = new HighestId();

  /** Takes the next bytes, cut anywhere. */
  take(bytes: Buffer): void {
    const seam = Buffer.concat([this.#end, bytes.subarray(0, keptBytes)]);
    this.#hasCascadeEvents ||= seam.includes(cascadeRow) || bytes.includes(cascadeRow);
    this.#takeIds(bytes);
    this.#end = Buffer.from((bytes.length < keptBytes ? seam : bytes).subarray(-keptBytes));
  }

  get hasCascadeEvents(): boolean {
    return this.#hasCascadeEvents;
  }

  #takeIds(bytes: Buffer): void {
    let rowEnd = bytes.indexOf(newline);
    if (rowEnd >= 0 && rowEnd < keptBytes) {
      const row = Buffer.concat([this.#end, bytes.subarray(0, rowEnd)]);
      this.#takeId(row, row.length);
      rowEnd = bytes.indexOf(newline, rowEnd + 1);
    }
    while (rowEnd >= 0) {
      this.#takeId(bytes, rowEnd);
      rowEnd = bytes.indexOf(newline, rowEnd + 1);
    }
  }

  #takeId(bytes: Buffer, end: number): void {
    let start = end;
    while (bytes[start - 1] !== tab) start -= 1;
    this.#highestId.take(bytes, start, end);
  }

  /** 0 when there were none */
  get highestEventId(): bigint {
    return this.#highestId.value;
  }
}
