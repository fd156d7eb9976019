import { renderTable } from "@skytools/skytools";
import { figures } from "./figures.ts";
import type { Verdict } from "./judge.ts";

/** What a soak run has done, and found. */
export interface SoakReport {
  /** Until every daemon was at work. */
  readonly setUpSeconds: number;
  /** After that. */
  readonly seconds: number;
  /** How often each was done. */
  readonly disturbances: Readonly<Record<string, number>>;
  /** Daemons that did nothing in the last third. */
  readonly idle: readonly string[];
  readonly verdicts: readonly Verdict[];
}

/** As the usage text says: 0, 1 or 3. */
export function exitCodeOf({ idle, verdicts }: SoakReport): number {
  const outcomes = new Set(verdicts.map(({ outcome }) => outcome));
  if (outcomes.has("grows")) return 1;
  if (outcomes.has("too short")) return 3;
  return idle.length > 0 ? 1 : 0;
}

export function reportText(report: SoakReport): string {
  const rows = report.verdicts.map(({ owner, figure, early, late, outcome }) => ({
    owner,
    what: figures[figure].title,
    early: early.toFixed(Number.isInteger(early) ? 0 : 1),
    late: late.toFixed(Number.isInteger(late) ? 0 : 1),
    outcome: outcome === "grows" ? "GROWS" : outcome,
  }));
  const grown = report.verdicts.filter(({ outcome }) => outcome === "grows").length;
  const disturbances = Object.values(report.disturbances).reduce((sum, count) => sum + count, 0);
  return [
    renderTable(rows, { columns: ["owner", "what", "early", "late", "outcome"] }).trimEnd(),
    ...report.idle.map((name) => `IDLE: ${name}`),
    `${report.seconds} s after ${report.setUpSeconds} s of setting up, ${disturbances} disturbances, ${rows.length} figures: ${grown} grow`,
  ].join("\n");
}
