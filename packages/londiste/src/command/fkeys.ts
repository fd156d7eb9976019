import type { Command, Job } from "@skytools/skytools";
import { printJson, renderTable } from "@skytools/skytools";
import { type PendingForeignKey, pendingForeignKeys } from "../fkey/pending-fkeys.ts";
import { openLocalNode } from "../table/local-node.ts";

/** The original's was an empty shell. Source: spec/londiste.md section 2 */
export const foreignKeysCommand: Command = {
  name: "fkeys",
  args: "",
  summary: "list foreign keys that were dropped for a copy and are not back yet, and why",
  pidfile: "none",
  switches: [{ flags: "--sql", doc: "only the statements that bring them back" }],
  run: listForeignKeys,
};

async function listForeignKeys(job: Job): Promise<void> {
  const { local, node } = await openLocalNode(job);
  const keys = await pendingForeignKeys(local);
  await local.commit();
  if (job.json) {
    printJson(job.stdout, keys);
    return;
  }
  if (job.flag("sql")) {
    for (const key of keys) job.stdout.write(`${key.definition};\n`);
    return;
  }
  const rows = keys.map((key) => ({
    fkey_name: key.name,
    from_table: key.fromTable,
    to_table: key.toTable,
    why: why(key),
  }));
  job.stdout.write(renderTable(rows, { title: `Pending fkeys on node ${node.nodeName}` }));
}

/** A worker brings a key back within seconds; one that stays is violated by rows, which its log tells. */
function why({ reasons }: PendingForeignKey): string {
  return reasons.length > 0 ? reasons.join("; ") : "due; if it stays, rows violate it: see the worker's log";
}
