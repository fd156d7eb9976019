import type { Database, Job } from "@skytools/skytools";

/** Makes one change in one transaction and reports it; with --dry-run only says what it would be.
 * @param step what is done: `create queue orders`
 * @param change returns what has happened: `queue orders created` */
export async function makeChange(
  job: Job,
  step: string,
  change: (db: Database) => Promise<string>,
): Promise<void> {
  if (job.isDryRun) {
    job.stdout.write(`${step}\n`);
    return;
  }
  const db = await job.databases.get("db");
  const outcome = await change(db);
  await db.commit();
  job.log.info(outcome);
}
