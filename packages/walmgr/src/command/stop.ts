import { type Command, crashPoint, Database, type Job, quoteLiteral, UsageError } from "@skytools/skytools";
import { isOnlyTold } from "../place/dry-run.ts";
import { type Settings, settingsFor } from "../place/settings.ts";
import { formerValues } from "../setup/server-archiving.ts";

/** Source: spec/walmgr.md 5.2 */
export const stopCommand: Command = {
  name: "stop",
  aliases: ["remove"],
  args: "",
  summary: "let the primary stop archiving: what setup changed goes back to what it was",
  pidfile: "none",
  switches: [{ flags: "--force", doc: "even while a standby or a receiver depends on the archive" }],
  run: stop,
};

async function stop(job: Job): Promise<void> {
  const settings = settingsFor(job, "primary");
  const database = await Database.open(settings.need("master_db"), { autocommit: true });
  try {
    await refuseDependents(job, settings, database);
    const changes = backTo(formerValues(settings.dataDirectory()));
    if (isOnlyTold(job, ...changes)) return;
    for (const statement of changes) {
      await database.execute(statement);
      crashPoint("stop.setting-stored");
    }
    await database.query("select pg_reload_conf()");
    const waiting = await database.query<{ name: string }>(
      "select name from pg_settings where pending_restart",
    );
    job.log.info("The primary archives no more");
    if (waiting.length > 0) {
      job.log.warn(`A restart is needed for ${waiting.map((row) => row.name).join(", ")}`);
    }
  } finally {
    await database.close();
  }
}

/** An empty command would let WAL pile up, one that is always true would break the chain unseen: archiving itself goes off. */
function backTo(former: Readonly<Record<string, string>>): string[] {
  const values = Object.keys(former).length > 0 ? former : { archive_mode: "off", archive_command: "" };
  return Object.entries(values).map(([name, value]) =>
    // pg_settings shows an unset command like this.
    value === "(disabled)" || value === ""
      ? `alter system reset ${name}`
      : `alter system set ${name} = ${quoteLiteral(value)}`,
  );
}

async function refuseDependents(job: Job, settings: Settings, database: Database): Promise<void> {
  if (job.flag("force")) return;
  const rows = await database.query<{ slot_name: string }>(
    "select slot_name from pg_replication_slots where slot_name in ($1, $2)",
    [settings.config.get("slot_name"), `${settings.config.get("slot_name")}_standby`],
  );
  if (rows.length === 0) return;
  throw new UsageError(
    `slot ${rows[0]!.slot_name} is there: a standby or a receiver depends on this primary`,
    {
      hint: "Drop it with pg_drop_replication_slot, or give --force.",
    },
  );
}
