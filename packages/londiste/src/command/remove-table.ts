import type { Command, Job } from "@skytools/skytools";
import { dryRunSwitch } from "@skytools/skytools";
import { getTableList, localRemoveTable } from "../londiste-api.ts";
import { lettingOthersThrough } from "../table/letting-others-through.ts";
import { openLocalNode } from "../table/local-node.ts";
import { selectNames } from "../table/select-names.ts";

/** Source: spec/londiste.md section 2 */
export const removeTableCommand: Command = {
  name: "remove-table",
  args: "[TABLE...]",
  summary: "end the replication of tables here; on the root everywhere",
  pidfile: "admin",
  switches: [{ flags: "--all", doc: "all tables that are replicated here" }, dryRunSwitch],
  run: removeTables,
};

async function removeTables(job: Job): Promise<void> {
  const { local, queueName, node } = await openLocalNode(job);
  const tables = await getTableList(local, queueName);
  await local.commit();
  const removable = tables.filter((table) => table.isLocal || node.nodeType === "root");
  const names = selectNames(job.log, {
    given: job.args,
    isAll: job.flag("all"),
    candidates: removable.map((table) => table.name),
    done: tables.filter((table) => !removable.includes(table)).map((table) => table.name),
    why: `not replicated on node "${node.nodeName}"`,
  });
  for (const name of names) {
    await lettingOthersThrough(local, Number.POSITIVE_INFINITY, async () => {
      await localRemoveTable(local, { log: job.log, commit: false, quiet: job.isDryRun }, queueName, name);
      if (job.isDryRun) await local.rollback();
      else await local.commit();
    });
    if (job.isDryRun) job.stdout.write(`remove table ${name} from ${node.nodeType} "${node.nodeName}"\n`);
  }
}
