import { renderTable } from "@skytools/skytools";
import type { Recovery } from "./recoveries.ts";
import type { Replayed } from "./replayed.ts";
import type { Rate } from "./throughput.ts";

/** What a chaos run has done, and found. */
export interface ChaosReport {
  readonly seed: number;
  readonly minutes: number;
  readonly rounds: number;
  /** Rounds in which triggers counted on all nodes how often each transaction came; events went one by one there. */
  readonly watchedRounds: number;
  /** How often each was done, by `track: name`. */
  readonly disturbances: Readonly<Record<string, number>>;
  /** Committed transactions of the writers. */
  readonly transactions: number;
  /** Refused, or ended by a fault; some may have been committed all the same. */
  readonly failedTransactions: number;
  /** Committed on a root that died before anybody else had them, and found in the file that `resurrect` wrote. */
  readonly lostWithRoots: number;
  readonly events: number;
  /** On all nodes together. */
  readonly replayed: Replayed;
  /** How long it took until a transaction was on all nodes again. */
  readonly recoveries: readonly Recovery[];
  /** Of the writers while nobody disturbed them. */
  readonly calm: Rate;
  /** Of the writers while everything happened at once. */
  readonly disturbed: Rate;
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
  const { setWise, rowByRow, givenUp } = report.replayed;
  const operations = sum("operation");
  const faults = sum("breakdown") + sum("impediment");
  return [
    ...Object.entries(report.disturbances)
      .toSorted(([a], [b]) => a.localeCompare(b))
      .map(([name, count]) => `${String(count).padStart(5)}  ${name}`),
    recoveryTable(report.recoveries),
    `undisturbed: ${rateText(report.calm)}`,
    `disturbed: ${rateText(report.disturbed)}`,
    `applied on all nodes: ${setWise} events in sets, ${rowByRow} one by one; arrivals counted by triggers in ${report.watchedRounds} of ${report.rounds} rounds`,
    `given up by workers: ${givenUp} silent connections`,
    ...report.skipped.map((text) => `skipped: ${text}`),
    ...report.differences.map((text) => `DIFFERENT: ${text}`),
    `seed ${report.seed}, ${report.seconds} s, ${report.rounds} rounds: ${operations} operations, ${faults} faults, ${report.transactions} transactions ` +
      `(${report.failedTransactions} refused or broken off, ${report.lostWithRoots} set aside with a dead root), ${report.events} events, ${report.differences.length} differences`,
  ].join("\n");
}

function recoveryTable(recoveries: readonly Recovery[]): string {
  const seconds = (value: number | string) => Number(value).toFixed(1);
  return renderTable(recoveries, {
    columns: [
      "after",
      "times",
      { key: "medianSeconds", title: "median, s", format: seconds },
      { key: "longestSeconds", title: "longest, s", format: seconds },
    ],
  }).trimEnd();
}

function rateText({ seconds, transactionsPerSecond, eventsPerSecond }: Rate): string {
  return `${transactionsPerSecond.toFixed(1)} transactions and ${eventsPerSecond.toFixed(0)} events a second, for ${seconds} s`;
}
