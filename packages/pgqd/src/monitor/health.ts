import type { DatabaseState } from "../database-state.ts";

/** What health is judged by. Durations in milliseconds; moments as performance.now() gives them. */
export interface HealthRules {
  readonly nowMs: number;
  readonly unhealthyPeriodMs: number;
  /** databases that the configuration names: they are expected to have PgQ */
  readonly listed: readonly string[];
}

/** `ok`: ticked; `starting`: not ticked yet, but it is early; `failing`: not ticked for too long; `ignored`: not ours. */
export type HealthVerdict = "ok" | "starting" | "failing" | "ignored";

export interface DatabaseHealth {
  readonly verdict: HealthVerdict;
  /** why it is not `ok` */
  readonly reason: string | undefined;
  readonly secondsSinceTick: number | undefined;
}

export function databaseHealth(state: DatabaseState, rules: HealthRules): DatabaseHealth {
  const secondsSinceTick =
    state.lastTickAtMs === undefined ? undefined : (rules.nowMs - state.lastTickAtMs) / 1000;
  const judged = (verdict: HealthVerdict, reason?: string): DatabaseHealth => ({
    verdict,
    reason,
    secondsSinceTick,
  });
  const isListed = rules.listed.includes(state.name);
  if (state.presence === "standby") return judged("ignored", "the server is in recovery");
  if (!isListed && state.presence === "absent") return judged("ignored", "no PgQ");
  if (!isListed && state.presence === "too old") return judged("ignored", "PgQ is older than 3");
  if (!isListed && state.presence === "unknown" && state.isClosedToUs) {
    return judged("ignored", state.trouble);
  }
  const waitingMs = rules.nowMs - (state.lastTickAtMs ?? state.sinceMs);
  const isLate = waitingMs > rules.unhealthyPeriodMs;
  if (!isLate && state.lastTickAtMs !== undefined) return judged("ok");
  const cause = state.trouble ?? missing(state);
  const tail = cause === undefined ? "" : `: ${cause}`;
  if (!isLate) return judged("starting", `not ticked yet${tail}`);
  return judged("failing", `not ticked for ${Math.floor(waitingMs / 1000)} s${tail}`);
}

function missing(state: DatabaseState): string | undefined {
  if (state.presence === "absent") return "no PgQ";
  return state.presence === "too old" ? "PgQ is older than 3" : undefined;
}
