import { formatBytes, formatCount, formatDuration, formatRate } from "./format.ts";

export interface ProgressTotals {
  /** expected bytes; may be an estimate */
  readonly bytes?: number | bigint | undefined;
  /** expected rows; may be an estimate */
  readonly rows?: number | bigint | undefined;
}

export interface ProgressCounts {
  readonly bytes?: number;
  readonly rows?: number | bigint;
}

interface Sample {
  readonly atMs: number;
  readonly bytes: number;
  readonly rows: number;
}

const rateWindowMs = 10_000;

/** The counts of one thing that is being done (a table that is copied), its rate over the last ten seconds and
 * the time it still needs. */
export class ProgressItem {
  readonly name: string;
  readonly startedAtMs: number;
  readonly #totals: ProgressTotals;
  readonly #now: () => number;
  #samples: Sample[];
  #bytes = 0;
  #rows = 0;
  #endedAtMs: number | undefined;
  #outcome: string | undefined;

  constructor(name: string, totals: ProgressTotals, now: () => number) {
    this.name = name;
    this.#totals = totals;
    this.#now = now;
    this.startedAtMs = now();
    this.#samples = [{ atMs: this.startedAtMs, bytes: 0, rows: 0 }];
  }

  get isEnded(): boolean {
    return this.#endedAtMs !== undefined;
  }

  update(counts: ProgressCounts): void {
    if (counts.bytes !== undefined) this.#bytes = counts.bytes;
    if (counts.rows !== undefined) this.#rows = Number(counts.rows);
    const atMs = this.#now();
    const last = this.#samples.at(-1);
    if (last !== undefined && atMs - last.atMs < 250) return;
    this.#samples.push({ atMs, bytes: this.#bytes, rows: this.#rows });
    const oldest = this.#samples.findIndex((sample) => atMs - sample.atMs <= rateWindowMs);
    if (oldest > 1) this.#samples = this.#samples.slice(oldest - 1);
  }

  /** @param outcome shown instead of `done` */
  end(outcome = "done"): void {
    this.#endedAtMs ??= this.#now();
    this.#outcome ??= outcome;
  }

  /** 0 to 1; undefined when no total is known; 1 only at the end, because totals may be estimates. */
  get fraction(): number | undefined {
    if (this.isEnded) return 1;
    const [value, total] = this.#measure();
    return total === undefined ? undefined : Math.min(value / total, 0.999);
  }

  /** seconds; undefined when no total or no rate is known */
  get remainingSeconds(): number | undefined {
    const [value, total, rate] = this.#measure();
    if (total === undefined || rate <= 0) return undefined;
    return Math.max(total - value, 0) / rate;
  }

  /** in bytes a second, over the last seconds */
  get bytesPerSecond(): number {
    return this.#rate("bytes");
  }

  /** What is measured against a total: bytes when their total is known, else rows. */
  #measure(): [value: number, total: number | undefined, rate: number] {
    const bytes = Number(this.#totals.bytes ?? 0);
    if (bytes > 0) return [this.#bytes, bytes, this.#rate("bytes")];
    const rows = Number(this.#totals.rows ?? 0);
    return [this.#rows, rows > 0 ? rows : undefined, this.#rate("rows")];
  }

  #rate(what: "bytes" | "rows"): number {
    const first = this.isEnded ? undefined : this.#samples[0];
    const value = what === "bytes" ? this.#bytes : this.#rows;
    const seconds = ((this.#endedAtMs ?? this.#now()) - (first?.atMs ?? this.startedAtMs)) / 1000;
    return seconds <= 0 ? 0 : (value - (first?.[what] ?? 0)) / seconds;
  }

  /** `45%, 1,234 rows, 5.6 MiB, 2.0 MiB/s, ETA 12s`, or the outcome with the whole time. */
  describe(): string {
    const counts = [
      ...(this.#rows > 0 || this.#bytes === 0 ? [`${formatCount(this.#rows)} rows`] : []),
      ...(this.#bytes > 0 ? [formatBytes(this.#bytes), formatRate(this.bytesPerSecond)] : []),
    ];
    if (this.#endedAtMs !== undefined) {
      const seconds = (this.#endedAtMs - this.startedAtMs) / 1000;
      return [this.#outcome ?? "done", ...counts, formatDuration(seconds)].join(", ");
    }
    const { fraction, remainingSeconds } = this;
    return [
      ...(fraction === undefined ? [] : [`${Math.floor(fraction * 100)}%`]),
      ...counts,
      ...(remainingSeconds === undefined ? [] : [`ETA ${formatDuration(remainingSeconds)}`]),
    ].join(", ");
  }
}
