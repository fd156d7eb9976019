import type { Database } from "@skytools/skytools";
import type { CascadeAdmin } from "../cascade-admin.ts";
import { getConsumerState, isRefusal, setConsumerUptodate } from "../pgq-node-api.ts";
import type { Patience } from "./patience.ts";
import type { WorkerPlace } from "./plan.ts";

/** A worker and the database in which it answers. */
export interface AskedWorker extends WorkerPlace {
  readonly db: Database;
}

/** Makes workers look at their row, and waits until each has: a worker that does not run is found before anything changes.
 * Paused workers answer too.
 * @throws SkytoolsError CASCADE_TIMEOUT that names those which have not answered */
export async function askWorkers(
  admin: CascadeAdmin,
  patience: Patience,
  workers: readonly AskedWorker[],
): Promise<void> {
  const { queueName, job } = admin;
  for (const { db, consumerName, nodeName } of workers) {
    const call = { log: job.log, prefix: nodeName, quiet: true };
    await setConsumerUptodate(db, call, queueName, consumerName, false);
  }
  await awaitAnswers(admin, patience, workers);
}

/** Waits until workers have seen what was changed in their rows. */
export async function awaitAnswers(
  admin: CascadeAdmin,
  patience: Patience,
  workers: readonly AskedWorker[],
): Promise<void> {
  let silent = workers;
  await patience.until(
    async () => {
      const answers = await Promise.all(workers.map((worker) => hasAnswered(admin, worker)));
      silent = workers.filter((_worker, index) => !answers[index]);
      return silent.length === 0;
    },
    () => ({
      message: silent
        .map(({ consumerName, nodeName }) => `worker "${consumerName}" of node "${nodeName}" does not answer`)
        .join(", "),
      hint: whatHelps(silent),
    }),
  );
}

function whatHelps(silent: readonly AskedWorker[]): string {
  const start =
    "Start it (see its log), or give it longer with --timeout when it is busy with a large batch.";
  if (!silent.every(({ canBeLeftOut }) => canBeLeftOut === true)) return start;
  const switches = [...new Set(silent.map(({ nodeName }) => `--dead=${nodeName}`))].join(" ");
  return `${start} ${switches} leaves its node out.`;
}

export async function hasAnswered(
  admin: CascadeAdmin,
  { db, consumerName }: Pick<AskedWorker, "db" | "consumerName">,
): Promise<boolean> {
  const state = await getConsumerState(db, admin.queueName, consumerName);
  await db.commit();
  return !isRefusal(state) && state.isUptodate;
}
