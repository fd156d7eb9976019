import type { DatabaseState } from "../database-state.ts";
import type { Settings } from "../settings.ts";
import type { DatabaseFigures } from "./figures.ts";
import { type DatabaseHealth, databaseHealth } from "./health.ts";

/** Everything that a reader of the daemon's HTTP endpoint may see, at one moment. */
export interface Overview {
  readonly version: string;
  readonly uptimeSeconds: number;
  readonly databases: readonly DatabaseOverview[];
  /** a line for each thing that is wrong; empty: healthy */
  readonly problems: readonly string[];
}

export interface DatabaseOverview {
  readonly state: DatabaseState;
  readonly health: DatabaseHealth;
  /** undefined while there are none, or only very old ones */
  readonly figures: DatabaseFigures | undefined;
  readonly figuresAgeSeconds: number | undefined;
}

/** What the daemon knows about itself. */
export interface DaemonFacts {
  readonly version: string;
  readonly startedAtMs: number;
  readonly settings: Settings;
  readonly states: readonly DatabaseState[];
  /** when the databases were last listed with success, and why they cannot be now */
  readonly discovery: { readonly listedAtMs: number | undefined; readonly trouble: string | undefined };
}

/** After so many missed collections figures are no news any more. */
const figuresLastPeriods = 3;

/** @param nowMs milliseconds of performance.now() */
export function overviewOf(facts: DaemonFacts, nowMs: number): Overview {
  const { settings } = facts;
  const rules = {
    nowMs,
    unhealthyPeriodMs: settings.unhealthyPeriodMs,
    listed: settings.databaseList,
  };
  const oldestMs = nowMs - settings.metricsPeriodMs * figuresLastPeriods;
  const databases = facts.states
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((state): DatabaseOverview => {
      const isNews = state.figures !== undefined && state.figures.collectedAtMs >= oldestMs;
      const figures = isNews ? state.figures : undefined;
      return {
        state,
        health: databaseHealth(state, rules),
        figures,
        figuresAgeSeconds: figures && (nowMs - figures.collectedAtMs) / 1000,
      };
    });
  const problems = databases.flatMap(({ state, health }) =>
    health.verdict === "failing" ? [`${state.logName}: ${health.reason}`] : [],
  );
  return {
    version: facts.version,
    uptimeSeconds: (nowMs - facts.startedAtMs) / 1000,
    databases,
    problems: [...discoveryProblems(facts, nowMs), ...problems],
  };
}

/** Databases that were never found cannot be missed: then the search itself is what fails. */
function discoveryProblems({ discovery, startedAtMs, settings }: DaemonFacts, nowMs: number): string[] {
  const isLate = nowMs - startedAtMs > settings.unhealthyPeriodMs;
  if (discovery.listedAtMs !== undefined || discovery.trouble === undefined || !isLate) return [];
  return [`databases cannot be listed: ${discovery.trouble}`];
}
