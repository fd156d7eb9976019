import type { Command, Job } from "@skytools/skytools";
import { printJson, renderTable } from "@skytools/skytools";
import { localShowMissing } from "../londiste-api.ts";
import { openLocalNode } from "../table/local-node.ts";

/** Source: spec/londiste.md section 2 */
export const missingCommand: Command = {
  name: "missing",
  args: "",
  summary: "list tables and sequences that are not replicated here",
  pidfile: "none",
  run: listMissing,
};

async function listMissing(job: Job): Promise<void> {
  const { local, queueName, node } = await openLocalNode(job);
  const missing = await localShowMissing(local, queueName);
  await local.commit();
  if (job.json) {
    printJson(job.stdout, missing);
    return;
  }
  const rows = missing.map((object) => ({ obj_kind: object.kind, obj_name: object.name }));
  job.stdout.write(renderTable(rows, { title: `Missing objects on node ${node.nodeName}` }));
}
