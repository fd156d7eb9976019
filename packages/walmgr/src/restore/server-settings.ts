import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "../archive/durable-file.ts";

/** Settings that tell a server how to recover; those of the server that was backed up must not stay.
 * Source: PostgreSQL manual, "Archive Recovery" and "Standby Servers" */
const recoverySettings =
  /^\s*(restore_command|archive_cleanup_command|recovery_end_command|recovery_target\w*|primary_conninfo|primary_slot_name|promote_trigger_file|synchronous_standby_names)\s*(=|\s)/i;

export type ServerSettings = ReadonlyMap<string, string>;

/** Writes settings into `postgresql.auto.conf` of a server that does not run, in place of those of the same name. */
export async function writeAutoConf(dataDirectory: string, settings: ServerSettings): Promise<void> {
  const path = join(dataDirectory, "postgresql.auto.conf");
  // Bytes as characters: values need not be UTF-8.
  const old = existsSync(path) ? readFileSync(path, "latin1") : "";
  const lines = old.split("\n").filter((line) => {
    const name = /^\s*([\w.]+)\s*(?:=|\s)/.exec(line)?.[1]?.toLowerCase();
    return line !== "" && !recoverySettings.test(line) && (name === undefined || !settings.has(name));
  });
  const own = [...settings].map(([name, value]) =>
    Buffer.from(`${name} = ${quoteSetting(value)}`, "utf8").toString("latin1"),
  );
  await replaceFile(path, Buffer.from(`${[...lines, ...own].join("\n")}\n`, "latin1"));
}

/** On one line, as a file of settings wants it.
 * Source: PostgreSQL manual, "Setting Parameters": quotes are doubled, backslashes escape */
function quoteSetting(value: string): string {
  const escaped = value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll("\r", "\\r");
  return `'${escaped.replaceAll("'", "''")}'`;
}
