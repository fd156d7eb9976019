import { parseLsn } from "./lsn.ts";

/** What the `backup_label` of a base backup says. */
export interface BackupLabel {
  readonly startLsn: bigint;
  readonly firstSegment: string;
  readonly startTime: string;
  readonly label: string;
  readonly timeline: number;
}

/** @returns undefined when the text is no backup label
 * Source: spec/walmgr.md 4.3 */
export function parseBackupLabel(text: string): BackupLabel | undefined {
  const start = /^START WAL LOCATION: ([0-9A-F]{1,8}\/[0-9A-F]{1,8}) \(file ([0-9A-F]{24})\)$/m.exec(text);
  if (start === null) return undefined;
  const line = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(text)?.[1] ?? "";
  return {
    startLsn: parseLsn(start[1]!),
    firstSegment: start[2]!,
    startTime: line("START TIME"),
    label: line("LABEL"),
    timeline: Number(line("START TIMELINE")) || Number.parseInt(start[2]!.slice(0, 8), 16),
  };
}
