import { type ReplicationConnection, SkytoolsError } from "@skytools/skytools";

/** What a server tells about itself over a replication connection. */
export interface ServerFacts {
  readonly systemIdentifier: string;
  readonly timeline: number;
  /** as server_version_num */
  readonly serverVersion: number;
  readonly segmentSize: number;
}

/** @throws DatabaseError
 * Source: PostgreSQL manual, "Streaming Replication Protocol", IDENTIFY_SYSTEM and SHOW */
export async function askServer(connection: ReplicationConnection): Promise<ServerFacts> {
  const identity = await connection.runForRow("IDENTIFY_SYSTEM");
  const size = await connection.runForRow("SHOW wal_segment_size");
  return {
    systemIdentifier: identity.systemid ?? "",
    timeline: Number(identity.timeline),
    serverVersion: connection.serverVersion,
    segmentSize: memoryBytes(Object.values(size)[0] ?? ""),
  };
}

/** `16MB` as the server shows it. */
function memoryBytes(text: string): number {
  const parts = /^(\d+)(B|kB|MB|GB)$/.exec(text);
  if (parts === null) throw new SkytoolsError("WAL", `the server's wal_segment_size is "${text}"`);
  return Number(parts[1]) * 1024 ** ["B", "kB", "MB", "GB"].indexOf(parts[2]!);
}
