import { join, resolve } from "node:path";
import { engineOf } from "../engine/engine.ts";
import { archiveCommand } from "../hook/archive-status.ts";
import { ownCommand, recoveryEndCommand, restoreCommand } from "../place/own-command.ts";
import type { Settings } from "../place/settings.ts";
import { shellQuote } from "../remote/shell-quote.ts";

/** Settings of a server that recovers from the archive.
 * @param slotName slot on the primary, for a streaming standby */
export function recoverySettings(
  settings: Settings,
  recovery: ReadonlyMap<string, string>,
  slotName: string | undefined,
): Map<string, string> {
  const { config } = settings;
  const result = new Map([...fetchingSettings(settings), ...recovery]);
  const isStreaming = settings.role === "standby" && settings.has("primary_conninfo");
  if (isStreaming) result.set("primary_conninfo", config.get("primary_conninfo"));
  if (isStreaming && slotName !== undefined) result.set("primary_slot_name", slotName);
  return result;
}

/** How a server gets WAL out of the archive. */
export function fetchingSettings({ config, remote, paths, isEngineOwn }: Settings): Map<string, string> {
  const pauseFile = remote === undefined && isEngineOwn ? join(paths.completed, "PAUSE") : undefined;
  return new Map([
    ["restore_command", restoreCommand(config.file, pauseFile)],
    ["recovery_end_command", recoveryEndCommand],
  ]);
}

/** Value of `archive_command`: an engine is called straight, and for pgBackRest it must be. */
export function archivingCommand(settings: Settings): string {
  const { commands } = engineOf(settings) ?? {};
  if (commands === undefined) return archiveCommand(ownCommand(resolve(settings.config.file)));
  const words = commands.archivePush("%p");
  const environment = Object.entries(commands.env).map(([name, value]) => `${name}=${shellQuote(value)}`);
  const quoted = words.map((word) => (word === "%p" ? '"%p"' : shellQuote(word).replaceAll("%", "%%")));
  return [...environment, "exec", ...quoted].join(" ");
}

/** How a server that takes over archives: nothing happens while it is a standby, everything after its promotion. */
export function ownArchiving(settings: Settings): Map<string, string> {
  return new Map([["archive_command", archivingCommand(settings)]]);
}

/** A copy for looking at must not write into the archive of the cluster it was copied from. */
export const noArchiving: ReadonlyMap<string, string> = new Map([
  ["archive_mode", "off"],
  ["archive_command", ""],
]);

/** @throws ConfigError when it would be longer than names of a server are */
export function standbySlotName(settings: Settings): string {
  const name = `${settings.config.get("slot_name")}_standby`;
  if (name.length > 63) throw settings.error("slot_name", `too long: the standby's slot would be ${name}`);
  return name;
}
