/** Reads quantiles of measured values. */
export interface Quantile {
  /** @param share 0.5 is the median, 1 the largest */
  (share: number): number;
  readonly count: number;
}

export function quantileOf(values: readonly number[]): Quantile {
  const sorted = values.toSorted((a, b) => a - b);
  const read = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return Object.assign(read, { count: sorted.length });
}
