import { type Job, printJson, SkytoolsError, UsageError } from "@skytools/skytools";
import type { CascadeAdmin } from "../cascade-admin.ts";
import { Patience } from "./patience.ts";
import { leftOut, type Plan, refusals, stepId } from "./plan.ts";
import type { PlanContext } from "./plan-context.ts";
import { printPlan } from "./plan-print.ts";
import { runPlan } from "./plan-run.ts";
import { readSetState, type SetState } from "./set-state.ts";
import { askWorkers } from "./worker-answer.ts";

/** How a planned command is run. */
export interface PlannedRun {
  /** for each wait; 0: no limit */
  readonly timeoutSeconds: number;
  /** members to be treated as dead in this run */
  readonly deadNodes: readonly string[];
}

/** Looks at the set, makes the plan and does it, or with --dry-run prints it. Nothing changes before all checks have passed and
 * all workers that the plan needs have answered; a plan that is only shown fails too when it would be refused.
 * @throws SkytoolsError CASCADE_REFUSED with everything that speaks against it; what a step throws */
export async function runPlanned(
  admin: CascadeAdmin,
  { timeoutSeconds, deadNodes }: PlannedRun,
  makePlan: (context: PlanContext, set: SetState) => Promise<Plan> | Plan,
): Promise<void> {
  const { job } = admin;
  const set = await readSetState(admin, deadNodes);
  const context: PlanContext = { admin, patience: new Patience(job, timeoutSeconds) };
  const plan = await makePlan(context, set);
  if (job.isDryRun) {
    await printPlan(job, plan);
    refuse(plan);
    return;
  }
  report(job, plan);
  refuse(plan);
  if (plan.steps.length === 0) job.log.info(`${plan.title}: nothing to do`);
  await limitLockWaits(set, timeoutSeconds);
  const workers = plan.workers.flatMap((worker) => {
    const member = set.live.get(worker.nodeName);
    return member === undefined ? [] : [{ ...worker, db: member.db }];
  });
  await askWorkers(admin, context.patience, workers);
  await runPlan(admin, plan);
  conclude(job, plan);
}

/** The last word of a command that has ended well: what is not as it wants it must not be hidden above all the steps. */
function conclude(job: Job, plan: Plan): void {
  const missing = leftOut(plan);
  if (missing.length > 0) {
    const names = missing.map(({ nodeName, reason }) => `"${nodeName}" (${reason})`);
    job.log.warn(`${plan.title}: done, but not for ${names.join(", ")}`);
  } else if (plan.steps.length > 0) {
    job.log.info(`${plan.title}: done`);
  }
  if (!job.json) return;
  const steps = plan.steps.map(stepId);
  printJson(job.stdout, {
    plan: plan.title,
    isDone: true,
    leftOut: missing.map(({ nodeName }) => nodeName),
    steps,
  });
}

/** A row that somebody else has locked must not make a step wait for ever. */
async function limitLockWaits({ live }: SetState, timeoutSeconds: number): Promise<void> {
  for (const { db } of live.values()) {
    await db.query("select set_config('lock_timeout', $1, false)", [`${Math.ceil(timeoutSeconds)}s`]);
    await db.commit();
  }
}

function report(job: Job, plan: Plan): void {
  for (const { kind, text } of plan.findings) {
    if (kind === "note") job.log.info(text);
    if (kind === "warning") job.log.warn(text);
  }
}

function refuse(plan: Plan): void {
  const found = refusals(plan);
  if (found.length === 0) return;
  const message = `${plan.title} is refused: ${found.map(({ text }) => text).join("; ")}`;
  const hint = found.flatMap((refusal) => refusal.hint ?? []).join(" ");
  throw new SkytoolsError("CASCADE_REFUSED", message, hint === "" ? {} : { hint });
}

/** The seconds of --timeout. @throws UsageError */
export function timeoutSeconds(job: Job): number {
  const text = job.option("timeout") ?? "0";
  if (!/^\d+(\.\d+)?$/.test(text))
    throw new UsageError(`--timeout: "${text}" is not a number of seconds`, { exitCode: 2 });
  return Number(text);
}
