import { type Command, type Job, printJson } from "@skytools/skytools";
import { type BackupSet, listSets } from "../backup/set-info.ts";
import { engineOf } from "../engine/engine.ts";
import { settingsFor } from "../place/settings.ts";
import { runOnSlave } from "../remote/run-on-slave.ts";

/** Source: spec/walmgr.md 5.13 */
export const listbackupsCommand: Command = {
  name: "listbackups",
  args: "",
  summary: "list the backup sets",
  pidfile: "none",
  run: listBackups,
};

async function listBackups(job: Job): Promise<number> {
  const settings = settingsFor(job);
  const engine = engineOf(settings);
  if (engine !== undefined) return engine.run(engine.commands.listBackups(job.json));
  if (settings.remote !== undefined) {
    return runOnSlave(job, settings.remote, ["listbackups", ...(job.json ? ["--json"] : [])]);
  }
  const sets = await listSets(settings.paths.fullBackup);
  if (job.json) {
    printJson(
      job.stdout,
      sets.map(({ name, path, info }) => ({ name, path, ...info })),
    );
    return 0;
  }
  if (sets.length === 0) {
    job.stdout.write("\nNo backups found.\n\n");
    return 0;
  }
  const row = (cells: readonly [string, string, string, string]) =>
    `${cells[0].padEnd(15)} ${cells[1].padEnd(24)} ${cells[2].slice(0, 11).padEnd(11)} ${cells[3].padEnd(24)}`;
  const head = row(["Backup set", "Timestamp", "Label", "First WAL"]);
  const lines = sets.map(({ name, info }: BackupSet) =>
    row([name, info.startTime, info.basedOn === undefined ? info.label : "Incremental", info.firstSegment]),
  );
  const text = [head, "-".repeat(head.length), ...lines].map((line) => line.trimEnd()).join("\n");
  job.stdout.write(`\nList of backups:\n\n${text}\n\n`);
  return 0;
}
