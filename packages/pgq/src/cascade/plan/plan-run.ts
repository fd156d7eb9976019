import { crashPoint, DatabaseError, SkytoolsError } from "@skytools/skytools";
import type { CascadeAdmin } from "../cascade-admin.ts";
import { type Plan, type PlanStep, stepId } from "./plan.ts";

/** Does what a plan says: skips steps that are done, and when one fails takes back what can be taken back, unless the plan has
 * passed the point from which it can only go on.
 * @throws what the step has thrown, with a hint how things stand now */
export async function runPlan(admin: CascadeAdmin, plan: Plan): Promise<void> {
  const { log } = admin.job;
  const done: PlanStep[] = [];
  for (const [index, step] of plan.steps.entries()) {
    const place = `step ${index + 1}/${plan.steps.length} ${stepId(step)}`;
    try {
      if (await step.isDone()) {
        log.debug(`${place}: done already`);
        continue;
      }
      log.info(`${place}: ${step.action}`);
      await runStep(admin, step);
    } catch (error) {
      throw await afterFailure(admin, plan, done, step, error);
    }
    done.push(step);
    crashPoint(`plan.after-${stepId(step)}`);
  }
}

/** The server has rolled a step back that was in a deadlock with somebody else's work, who has gone on by now. */
async function runStep(admin: CascadeAdmin, step: PlanStep): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await step.run();
    } catch (error) {
      const isDeadlock = error instanceof DatabaseError && error.sqlState === "40P01";
      if (!isDeadlock || attempt === 5) throw error;
      admin.job.log.warn(`${stepId(step)}: ${error.message}: trying again`);
      await admin.job.databases.rollbackAll();
    }
  }
}

/** Takes steps back where that is still possible.
 * @returns the failure, told with what has become of the rest */
async function afterFailure(
  admin: CascadeAdmin,
  plan: Plan,
  done: readonly PlanStep[],
  failed: PlanStep,
  error: unknown,
): Promise<unknown> {
  if (!(error instanceof SkytoolsError)) return error;
  const state = await undoSteps(admin, done, failed);
  const hint = [error.hint, state].filter((text) => text !== undefined).join(" ");
  return new SkytoolsError(error.code, `${plan.title}: ${stepId(failed)}: ${error.message}`, {
    cause: error,
    hint,
    exitCode: error.exitCode,
  });
}

/** Takes back what a plan has done, unless it can only go on.
 * @param done steps that this run has done
 * @returns a sentence about how things stand */
export async function undoSteps(
  admin: CascadeAdmin,
  done: readonly PlanStep[],
  failed: PlanStep,
): Promise<string | undefined> {
  const goOn = "Run the same command again to go on.";
  if (done.some((step) => step.isPointOfNoReturn === true)) return goOn;
  try {
    // In a transaction that has failed nothing could be undone, and one that has not would be committed with it.
    await admin.job.databases.rollbackAll();
    // whether a commit that failed has happened is known to the database only
    if (failed.isPointOfNoReturn === true && (await failed.isDone())) return goOn;
    const undoable = [...done, failed].filter((step) => step.undo !== undefined).toReversed();
    for (const step of undoable) {
      admin.job.log.warn(`undo ${stepId(step)}: ${step.undoneBy}`);
      await step.undo?.();
    }
    if (done.length === 0 && undoable.length === 0) return undefined;
    return undoable.length === 0 ? goOn : `Undone: ${undoable.map(stepId).join(", ")}. ${goOn}`;
  } catch (error) {
    admin.job.log.warn(`undo failed: ${error instanceof Error ? error.message : String(error)}`);
    return goOn;
  }
}
