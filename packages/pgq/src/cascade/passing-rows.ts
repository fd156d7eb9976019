/** the longest end of a row that matters: tab, 19 digits, newline */
const keptBytes = 24;

const cascadeRow = Buffer.from("\npgq.");

/** Learns what a worker must know of a batch from the rows of its COPY as they pass, without parsing them: whether `pgq.*`
 * events are among them, and the highest event id. The rows must be in order of id and have `ev_type` as first and `ev_id` as
 * last column. In COPY's text format a newline is never part of a value, so a search over the bytes is exact.
 * Source: PostgreSQL manual, COPY, "Text Format" */
export class PassingRows {
  #end = Buffer.from("\n");
  #hasCascadeEvents = false;

  /** Takes the next bytes, cut anywhere. */
  take(bytes: Buffer): void {
    const seam = Buffer.concat([this.#end, bytes.subarray(0, keptBytes)]);
    this.#hasCascadeEvents ||= seam.includes(cascadeRow) || bytes.includes(cascadeRow);
    this.#end = Buffer.from((bytes.length < keptBytes ? seam : bytes).subarray(-keptBytes));
  }

  get hasCascadeEvents(): boolean {
    return this.#hasCascadeEvents;
  }

  /** 0 when there were none; call it after the last row */
  get highestEventId(): bigint {
    const match = /\t(\d+)\n$/.exec(this.#end.toString("latin1"));
    return match === null ? 0n : BigInt(match[1]!);
  }
}
