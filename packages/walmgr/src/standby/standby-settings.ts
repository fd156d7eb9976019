import { resolve } from "node:path";
import { archiveCommand } from "../hook/archive-status.ts";
import { ownCommand, recoveryEndCommand, restoreCommand } from "../place/own-command.ts";
import type { Settings } from "../place/settings.ts";

/** Settings of a server that recovers from the archive.
 * @param slotName slot on the primary, for a streaming standby */
export function recoverySettings(
  settings: Settings,
  recovery: ReadonlyMap<string, string>,
  slotName: string | undefined,
): Map<string, string> {
  const { config } = settings;
  const result = new Map([
    ["restore_command", restoreCommand(config.file)],
    ["recovery_end_command", recoveryEndCommand],
    ...recovery,
  ]);
  const isStreaming = settings.role === "standby" && settings.has("primary_conninfo");
  if (isStreaming) result.set("primary_conninfo", config.get("primary_conninfo"));
  if (isStreaming && slotName !== undefined) result.set("primary_slot_name", slotName);
  return result;
}

/** How a server that takes over archives: nothing happens while it is a standby, everything after its promotion. */
export function ownArchiving(settings: Settings): Map<string, string> {
  return new Map([["archive_command", archiveCommand(ownCommand(resolve(settings.config.file)))]]);
}

/** A copy for looking at must not write into the archive of the cluster it was copied from. */
export const noArchiving: ReadonlyMap<string, string> = new Map([
  ["archive_mode", "off"],
  ["archive_command", ""],
]);

export function standbySlotName(settings: Settings): string {
  return `${settings.config.get("slot_name")}_standby`;
}
