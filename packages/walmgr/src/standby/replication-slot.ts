import { DatabaseError, type Log, quoteIdent, ReplicationConnection } from "@skytools/skytools";

/** Makes a slot on a server, so that it keeps the WAL that somebody still needs; one that is there already is fine.
 * @throws DatabaseError */
export async function ensureSlot(
  connection: ReplicationConnection,
  name: string,
): Promise<"new" | "present"> {
  try {
    await connection.run(`CREATE_REPLICATION_SLOT ${quoteSlot(name)} PHYSICAL RESERVE_WAL`);
    return "new";
  } catch (error) {
    if (error instanceof DatabaseError && error.sqlState === "42710") return "present";
    throw error;
  }
}

/** @returns the slot's name when it is there; undefined, with a warning, when the primary cannot be asked */
export async function slotForStandby(conninfo: string, name: string, log: Log): Promise<string | undefined> {
  let connection: ReplicationConnection | undefined;
  try {
    connection = await ReplicationConnection.open(conninfo, { connectTimeoutMs: 5000 });
    const outcome = await ensureSlot(connection, name);
    log.info(`Replication slot ${name} ${outcome === "new" ? "made" : "is there"} on the primary`);
    return name;
  } catch (error) {
    log.warn(`no slot on the primary: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  } finally {
    connection?.close();
  }
}

/** The replication grammar quotes names as SQL does. */
function quoteSlot(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : quoteIdent(name);
}
