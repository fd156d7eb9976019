import type { Command, Job } from "@skytools/skytools";
import { dryRunSwitch, UsageError } from "@skytools/skytools";
import { getTableList } from "../londiste-api.ts";
import { moveTable } from "../replay/move-table.ts";
import { openLocalNode, openProvider } from "../table/local-node.ts";
import { selectNames } from "../table/select-names.ts";

/** Source: spec/londiste.md section 2 */
export const resyncCommand: Command = {
  name: "resync",
  args: "[TABLE...]",
  summary: "copy tables anew",
  pidfile: "admin",
  switches: [{ flags: "--all", doc: "all tables that are replicated here" }, dryRunSwitch],
  run: resync,
};

async function resync(job: Job): Promise<void> {
  const at = await openLocalNode(job);
  const { local, queueName, node } = at;
  if (node.nodeType === "root")
    throw new UsageError(`node "${node.nodeName}" is the root, it copies from nobody`);
  const tables = await getTableList(local, queueName);
  await local.commit();
  const names = selectNames(job.log, {
    given: job.args,
    isAll: job.flag("all"),
    candidates: tables.filter((table) => table.isLocal).map((table) => table.name),
    done: [],
    why: `not replicated on node "${node.nodeName}"`,
  });
  const provider = await openProvider(at);
  const onProvider = await getTableList(provider, queueName);
  await provider.commit();
  const absent = names.filter((name) => !onProvider.some((table) => table.name === name && table.isLocal));
  for (const name of absent) {
    job.log.error(`Table ${name} does not exist on provider, need to switch to different provider`);
  }
  if (absent.length > 0) throw new UsageError("Problems, cancelling operation");
  for (const name of names) {
    if (job.isDryRun) {
      job.stdout.write(`copy table ${name} anew\n`);
      continue;
    }
    await moveTable(local, job.log, { queueName, table: name, event: "resync" });
    await local.commit();
  }
}
