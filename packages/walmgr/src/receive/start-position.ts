import { readdir } from "node:fs/promises";
import { type ReplicationConnection, SkytoolsError } from "@skytools/skytools";
import type { LocalArchive } from "../archive/local-archive.ts";
import type { ServerFacts } from "../place/server-facts.ts";
import { parseLsn } from "../wal/lsn.ts";
import { parseWalName, segmentAt, segmentNumber, segmentStart, timelineOf } from "../wal/wal-name.ts";

export interface StreamPosition {
  readonly timeline: number;
  /** first byte of a segment */
  readonly lsn: bigint;
}

/** Where a receiver goes on: at the segment it was in the middle of, else after the last one in the archive, else where its
 * slot begins, else at the server's present segment. */
export async function startPosition(
  connection: ReplicationConnection,
  facts: ServerFacts,
  archive: LocalArchive,
  partialWals: string,
  slotName: string,
): Promise<StreamPosition> {
  const { segmentSize } = facts;
  const archived = (await archive.list()).flatMap(({ name }) => segmentOf(name, "segment"));
  const begun = (await readdir(partialWals)).flatMap((name) => segmentOf(name, "partial"));
  const newestArchived = newest(archived, facts.timeline);
  const newestBegun = newest(begun, facts.timeline);
  if (newestBegun !== undefined && (newestArchived === undefined || newestBegun > newestArchived)) {
    return { timeline: timelineOf(newestBegun), lsn: segmentStart(newestBegun, segmentSize) };
  }
  if (newestArchived !== undefined) {
    const next = (segmentNumber(newestArchived, segmentSize) + 1n) * BigInt(segmentSize);
    return { timeline: timelineOf(newestArchived), lsn: next };
  }
  const restart = await slotRestart(connection, slotName);
  const { xlogpos } = await connection.runForRow("IDENTIFY_SYSTEM");
  const lsn = restart ?? parseLsn(xlogpos ?? "0/0");
  return {
    timeline: facts.timeline,
    lsn: segmentStart(segmentAt(facts.timeline, lsn, segmentSize), segmentSize),
  };
}

function segmentOf(name: string, kind: "segment" | "partial"): string[] {
  const parsed = parseWalName(name);
  return parsed?.kind === kind ? [parsed.segment] : [];
}

/** Timelines that the server does not know yet, or left long ago with higher numbers, are no place to go on. */
function newest(segments: readonly string[], timeline: number): string | undefined {
  return segments
    .filter((segment) => timelineOf(segment) <= timeline)
    .sort()
    .at(-1);
}

/** PostgreSQL 15 tells; before, the present position has to do. */
async function slotRestart(connection: ReplicationConnection, slotName: string): Promise<bigint | undefined> {
  if (connection.serverVersion < 150000) return undefined;
  try {
    const row = await connection.runForRow(`READ_REPLICATION_SLOT "${slotName.replaceAll('"', '""')}"`);
    return row.restart_lsn == null ? undefined : parseLsn(row.restart_lsn);
  } catch (error) {
    if (error instanceof SkytoolsError && connection.lost === undefined) return undefined;
    throw error;
  }
}
