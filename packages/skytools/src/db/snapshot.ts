import { UsageError } from "../errors.ts";

/** A transaction snapshot, `xmin:xmax:xip,xip...`, as txid_current_snapshot() and pg_current_snapshot() write it.
 * Source: spec/framework.md 7.3. */
export class Snapshot {
  /** every transaction below is finished */
  readonly xmin: bigint;
  /** no transaction from here on had begun */
  readonly xmax: bigint;
  /** transactions that were running */
  readonly running: ReadonlySet<bigint>;

  private constructor(xmin: bigint, xmax: bigint, running: ReadonlySet<bigint>) {
    this.xmin = xmin;
    this.xmax = xmax;
    this.running = running;
  }

  /** @throws UsageError when the text is no snapshot */
  static parse(text: string): Snapshot {
    const match = /^(\d+):(\d+):((?:\d+(?:,\d+)*)?)$/.exec(text);
    if (match === null) throw new UsageError(`invalid snapshot: "${text}"`);
    const running = match[3] === "" ? [] : match[3]!.split(",").map(BigInt);
    return new Snapshot(BigInt(match[1]!), BigInt(match[2]!), new Set(running));
  }

  /** True when the effects of the transaction are visible in this snapshot. */
  contains(txid: bigint): boolean {
    return txid < this.xmin || (txid < this.xmax && !this.running.has(txid));
  }

  toString(): string {
    return `${this.xmin}:${this.xmax}:${[...this.running].join(",")}`;
  }
}
