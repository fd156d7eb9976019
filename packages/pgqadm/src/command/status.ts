import { type Command, type Job, printJson } from "@skytools/skytools";
import { readStatus, statusText } from "../status-report.ts";

/** Source: spec/pgq-library.md A15 */
export const statusCommand: Command = {
  name: "status",
  args: "",
  summary: "show queues and consumers",
  pidfile: "none",
  run: showStatus,
};

async function showStatus(job: Job): Promise<void> {
  const db = await job.databases.get("db");
  const status = await readStatus(db);
  await db.commit();
  if (job.json) printJson(job.stdout, status);
  else job.stdout.write(statusText(status));
}
