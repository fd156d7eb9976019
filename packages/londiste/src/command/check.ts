import type { Command, Database, Job } from "@skytools/skytools";
import { printJson, TableStructure, UsageError } from "@skytools/skytools";
import { failoverDrift } from "../check/failover-drift.ts";
import { type Drift, structureDrift } from "../check/structure-drift.ts";
import { getTableList, type ReplicatedTable } from "../londiste-api.ts";
import { canEnterReplicaRole, withoutReplicaRole } from "../replication-session.ts";
import { openLocalNode, openProvider } from "../table/local-node.ts";
import { namesAskedFor } from "../table/select-names.ts";

const maxExitCode = 255;

/** The original's was an empty shell. Source: spec/londiste.md section 2 */
export const checkCommand: Command = {
  name: "check",
  args: "[TABLE...]",
  summary:
    "compare the structure of tables with the provider's; the exit code is the number of tables that differ",
  pidfile: "none",
  switches: [
    {
      flags: "--full",
      doc: "also what only a node that becomes the root needs: defaults, all indexes, foreign keys, triggers, rules, policies, sequences, owner, grants",
    },
  ],
  run: check,
};

interface CheckedTable {
  readonly table: string;
  readonly drift: readonly Drift[];
}

async function check(job: Job): Promise<number> {
  const at = await openLocalNode(job);
  const { local, queueName, node } = at;
  if (node.nodeType === "root") {
    throw new UsageError(`node "${node.nodeName}" is the root: check on another node`);
  }
  const tables = (await getTableList(local, queueName)).filter((table) => table.isLocal);
  const wanted = namesAskedFor(
    job.args,
    tables.map((table) => table.name),
  );
  const unknown = wanted.filter((name) => !tables.some((table) => table.name === name));
  if (unknown.length > 0) {
    throw new UsageError(`Table not subscribed: ${unknown.join(", ")}`, { hint: "See tables." });
  }
  const provider = await openProvider(at);
  const onProvider = await getTableList(provider, queueName);
  const checked: CheckedTable[] = [];
  for (const table of tables) {
    if (!wanted.includes(table.name)) continue;
    const there = onProvider.find((entry) => entry.name === table.name && entry.isLocal);
    const drift = await driftOf(provider, local, there, table, job.flag("full"));
    checked.push({ table: table.name, drift });
  }
  if (!(await canEnterReplicaRole(local))) {
    const { message, hint } = withoutReplicaRole(local);
    job.log.warn(message, { hint });
  }
  await local.commit();
  await provider.commit();
  if (job.json) printJson(job.stdout, checked);
  else for (const table of checked) job.stdout.write(report(table));
  return Math.min(maxExitCode, checked.filter((table) => table.drift.length > 0).length);
}

async function driftOf(
  provider: Database,
  local: Database,
  there: ReplicatedTable | undefined,
  here: ReplicatedTable,
  isFull: boolean,
): Promise<readonly Drift[]> {
  if (there === undefined) return [{ object: "table", provider: "not replicated", here: here.destination }];
  const source = await TableStructure.find(provider, there.destination);
  const target = await TableStructure.find(local, here.destination);
  if (source === undefined || target === undefined) {
    const exists = (table: TableStructure | undefined) => (table === undefined ? "absent" : table.name);
    return source === target ? [] : [{ object: "table", provider: exists(source), here: exists(target) }];
  }
  return [...structureDrift(source, target), ...(isFull ? failoverDrift(source, target) : [])];
}

function report({ table, drift }: CheckedTable): string {
  if (drift.length === 0) return `${table} same\n`;
  const lines = drift.map((item) => `  ${item.object}: provider ${item.provider}; here ${item.here}\n`);
  return `${table} DIFFERENT\n${lines.join("")}`;
}
