import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { crashPoint, type Database, quoteLiteral } from "@skytools/skytools";
import { replaceFile } from "../archive/durable-file.ts";

/** One setting of the primary that setup changes. */
export interface SettingChange {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly needsRestart: boolean;
}

interface SettingRow {
  readonly name: string;
  readonly setting: string;
  readonly context: string;
  readonly source: string;
}

const names = [
  "archive_mode",
  "archive_command",
  "wal_level",
  "max_wal_senders",
  "max_replication_slots",
  "archive_library",
];

/** What must change so that the server archives with this command; settings that are good already, or better, stay.
 * Source: spec/walmgr.md 5.1 */
export async function archivingChanges(database: Database, command: string): Promise<SettingChange[]> {
  const rows = await database.query<SettingRow>(
    "select name, context, source, setting from pg_settings where name = any($1)",
    [names],
  );
  const hidden = rows.findIndex((row) => row.name === "archive_command" && row.setting === "(disabled)");
  if (hidden >= 0) rows[hidden] = { ...rows[hidden]!, setting: await commandInFiles(database) };
  const wanted: [name: string, isGood: (value: string) => boolean, to: string][] = [
    ["archive_mode", (value) => value === "on", "on"],
    // The library would win over the command.
    ["archive_library", (value) => value === "", ""],
    ["archive_command", (value) => value === command, command],
    ["wal_level", (value) => value !== "minimal", "replica"],
    ["max_wal_senders", (value) => Number(value) >= 3, "10"],
    ["max_replication_slots", (value) => Number(value) >= 3, "10"],
  ];
  return wanted.flatMap(([name, isGood, to]) => {
    const row = rows.find((each) => each.name === name);
    // An earlier release does not have every setting.
    if (row === undefined || isGood(row.setting)) return [];
    return [{ name, from: row.setting, to, needsRestart: row.context === "postmaster" }];
  });
}

/** While archiving is off the server shows its command as disabled: what it is then stands in the files.
 * @returns "" when there is none, or when the role may not look into them */
async function commandInFiles(database: Database): Promise<string> {
  // Rights on a view's function are those of whoever reads the view.
  const mayRead = await database.queryValue<boolean>(
    `select has_table_privilege('pg_catalog.pg_file_settings', 'select')
        and has_function_privilege('pg_catalog.pg_show_all_file_settings()', 'execute')`,
  );
  if (mayRead !== true) return "";
  const rows = await database.query<{ setting: string | null }>(
    "select setting from pg_file_settings where name = 'archive_command' order by seqno desc limit 1",
  );
  return rows[0]?.setting ?? "";
}

/** Stored in the server's own configuration, as if by an administrator. Needs a superuser, or the grants of ALTER SYSTEM. */
export async function applyChanges(database: Database, changes: readonly SettingChange[]): Promise<void> {
  for (const { name, to } of changes) {
    await database.execute(`alter system set ${name} = ${quoteLiteral(to)}`);
    crashPoint("setup.setting-stored");
  }
  await database.query("select pg_reload_conf()");
}

const memoryFile = ".walshipping.setup";

/** Former values, so that `stop` can give them back; those of the first setup count. */
export async function rememberFormer(
  dataDirectory: string,
  changes: readonly SettingChange[],
): Promise<void> {
  const known = formerValues(dataDirectory);
  const all = { ...Object.fromEntries(changes.map(({ name, from }) => [name, from])), ...known };
  await replaceFile(join(dataDirectory, memoryFile), `${JSON.stringify(all, null, 2)}\n`);
}

export function formerValues(dataDirectory: string): Record<string, string> {
  const path = join(dataDirectory, memoryFile);
  if (!existsSync(path)) return {};
  return JSON.parse(readFileSync(path, "utf8")) as Record<string, string>;
}
