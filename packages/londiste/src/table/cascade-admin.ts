import {
  type CascadeAdmin,
  type CreatedNode,
  configuredConsumer,
  configuredQueue,
} from "@skytools/pgq/cascade";
import type { Database, Job } from "@skytools/skytools";
import { getSequenceList, getTableList, globalAddTables, globalUpdateSequence } from "../londiste-api.ts";
import { leafAhead } from "./leaf-ahead.ts";
import { lostEventCounter } from "./lost-events.ts";
import { newRootSequences } from "./new-root-sequences.ts";
import { nodeNames } from "./node-names.ts";
import { isRegistered } from "./register-filter.ts";
import { checkTakeover } from "./takeover-check.ts";

/** How londiste takes part in the cascade. Source: spec/londiste.md section 2, spec/cascade.md 9.3 */
export function londisteAdmin(job: Job): CascadeAdmin {
  return {
    job,
    queueName: configuredQueue(job.config),
    databaseKey: "db",
    workerName: configuredConsumer(job.config, job.name),
    modules: ["pgq", "pgq_node", "londiste"],
    hooks: {
      nodeCreated: copyObjectLists,
      nodeStatus: tableStatus,
      checkTakeover,
      newRoot: newRootSequences,
      leafAhead,
      nodeNames,
      lostEventCounter,
      mergeRefusal: "the tables of the new root would not get their changes; apply them there from the file",
    },
  };
}

/** A new node knows from its provider which tables and sequences there are; it replicates none of them yet. */
async function copyObjectLists(admin: CascadeAdmin, { local, provider }: CreatedNode): Promise<void> {
  if (provider === undefined) return;
  const { queueName } = admin;
  const call = { log: admin.job.log, quiet: true, commit: false };
  const { config } = admin.job;
  const tables = (await getTableList(provider, queueName)).map(({ name }) => name);
  const known = tables.filter((name) => isRegistered(config, "tables", name));
  await globalAddTables(local, call, queueName, known);
  for (const sequence of await getSequenceList(provider, queueName)) {
    if (!isRegistered(config, "seqs", sequence.name)) continue;
    await globalUpdateSequence(local, call, queueName, sequence.name, sequence.lastValue);
  }
  await provider.commit();
}

async function tableStatus(database: Database, queueName: string) {
  const tables = await getTableList(database, queueName);
  const local = tables.filter((table) => table.isLocal);
  const ok = local.filter((table) => table.state.kind === "ok").length;
  const half = local.length - ok;
  const ignored = tables.length - local.length;
  return { lines: [`Tables: ${ok}/${half}/${ignored}`], fields: { tables: { ok, half, ignored } } };
}
