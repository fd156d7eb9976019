/** What a chaos run has done, and found. */
export interface ChaosReport {
  readonly seed: number;
  readonly minutes: number;
  readonly rounds: number;
  /** How often each was done, by `track: name`. */
  readonly disturbances: Readonly<Record<string, number>>;
  /** Committed transactions of the writers. */
  readonly transactions: number;
  /** Refused, or ended by a fault; some may have been committed all the same. */
  readonly failedTransactions: number;
  readonly events: number;
  readonly seconds: number;
  /** What this machine could not do, and why. */
  readonly skipped: readonly string[];
  readonly differences: readonly string[];
}

export function reportText(report: ChaosReport): string {
  const sum = (track: string) =>
    Object.entries(report.disturbances)
      .filter(([name]) => name.startsWith(`${track}: `))
      .reduce((total, [, count]) => total + count, 0);
  const operations = sum("operation");
  const faults = sum("breakdown") + sum("impediment");
  return [
    ...Object.entries(report.disturbances)
      .toSorted(([a], [b]) => a.localeCompare(b))
      .map(([name, count]) => `${String(count).padStart(5)}  ${name}`),
    ...report.skipped.map((text) => `skipped: ${text}`),
    ...report.differences.map((text) => `DIFFERENT: ${text}`),
    `seed ${report.seed}, ${report.seconds} s, ${report.rounds} rounds: ${operations} operations, ${faults} faults, ${report.transactions} transactions ` +
      `(${report.failedTransactions} refused or broken off), ${report.events} events, ${report.differences.length} differences`,
  ].join("\n");
}
