import type { Command, Job } from "@skytools/skytools";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatRate,
  printJson,
  renderTable,
} from "@skytools/skytools";
import {
  type CopyProgressInfo,
  copyingRows,
  getCopyProgress,
  getTableList,
  type ReplicatedTable,
  snapshotAgeSeconds,
} from "../londiste-api.ts";
import { openLocalNode } from "../table/local-node.ts";

/** Source: spec/londiste.md section 2 */
export const tablesCommand: Command = {
  name: "tables",
  args: "",
  summary: "list the tables that are replicated here, with the progress of copies",
  pidfile: "none",
  switches: [{ flags: "--names-only", doc: "only the names" }],
  run: listTables,
};

async function listTables(job: Job): Promise<void> {
  const { local, queueName, node } = await openLocalNode(job);
  const tables = (await getTableList(local, queueName))
    .filter((table) => table.isLocal)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const progress = new Map((await getCopyProgress(local, queueName)).map((copy) => [copy.table, copy]));
  await local.commit();
  if (job.json) {
    printJson(
      job.stdout,
      tables.map((table) => tableAsJson(table, progress.get(table.name))),
    );
    return;
  }
  if (job.flag("namesOnly")) {
    for (const table of tables) job.stdout.write(`${table.name}\n`);
    return;
  }
  const isCopying = tables.some((table) => isUnderWay(table));
  const rows = tables.map((table) => ({
    table_name: table.name,
    merge_state: table.storedState ?? "None",
    table_attrs: attributeText(table),
    ...(isCopying ? { copy: isUnderWay(table) ? copyText(progress.get(table.name)) : "" } : {}),
  }));
  job.stdout.write(renderTable(rows, { title: `Tables on node ${node.nodeName}` }));
}

function isUnderWay(table: ReplicatedTable): boolean {
  return table.state.kind !== "ok";
}

/** As the original prints a dictionary: scripts read it. */
function attributeText(table: ReplicatedTable): string {
  const entries = [...table.attributes].map(
    ([key, value]) => `'${key}': ${value === null ? "None" : `'${value}'`}`,
  );
  if (table.destination !== table.name) entries.push(`'dest_table': '${table.destination}'`);
  return `{${entries.join(", ")}}`;
}

function copyText(copy: CopyProgressInfo | undefined): string {
  if (copy === undefined) return "waiting";
  if (copy.error !== null && copy.phase === "failed") {
    return `failed, attempt ${copy.attempt}: ${copy.error}`;
  }
  const { fraction, bytesPerSecond, remainingSeconds } = copyRate(copy);
  const snapshotAge = snapshotAgeSeconds(copy);
  return [
    copy.phase,
    ...(fraction === null ? [] : [`${Math.floor(fraction * 100)}%`]),
    `${formatCount(copy.rows)} rows`,
    formatBytes(copy.bytes),
    formatRate(bytesPerSecond),
    ...(remainingSeconds === null || copy.phase !== copyingRows
      ? []
      : [`ETA ${formatDuration(remainingSeconds)}`]),
    ...(snapshotAge === null ? [] : [`snapshot held ${formatDuration(snapshotAge)}`]),
  ].join(", ");
}

function copyRate(copy: CopyProgressInfo) {
  const bytes = Number(copy.bytes);
  const bytesPerSecond = copy.elapsedSeconds > 0 ? bytes / copy.elapsedSeconds : 0;
  const total = copy.totalBytes === null ? null : Number(copy.totalBytes);
  const isKnown = total !== null && total > 0;
  return {
    bytesPerSecond,
    fraction: isKnown ? Math.min(0.999, bytes / total) : null,
    remainingSeconds: isKnown && bytesPerSecond > 0 ? Math.max(0, total - bytes) / bytesPerSecond : null,
  };
}

function tableAsJson(table: ReplicatedTable, copy: CopyProgressInfo | undefined) {
  return {
    name: table.name,
    destination: table.destination,
    state: table.storedState,
    attributes: Object.fromEntries(table.attributes),
    copy:
      copy === undefined
        ? null
        : {
            phase: copy.phase,
            attempt: copy.attempt,
            process: copy.copyProcess,
            sourceNode: copy.sourceNode,
            rows: copy.rows,
            bytes: copy.bytes,
            totalRows: copy.totalRows,
            totalBytes: copy.totalBytes,
            elapsedSeconds: copy.elapsedSeconds,
            heartbeatAgeSeconds: copy.heartbeatAgeSeconds,
            snapshotAgeSeconds: snapshotAgeSeconds(copy),
            ...copyRate(copy),
            error: copy.error,
            retryTime: copy.retryTime,
          },
  };
}
