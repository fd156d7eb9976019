import { crashPoint, DatabaseError, type Log, quoteIdent, ReplicationConnection } from "@skytools/skytools";

/** Makes a slot on a server, so that it keeps the WAL that somebody still needs; one that is there already is fine.
 * @throws DatabaseError */
export async function ensureSlot(
  connection: ReplicationConnection,
  name: string,
): Promise<"new" | "present"> {
  try {
    await connection.run(`CREATE_REPLICATION_SLOT ${quoteSlot(name)} PHYSICAL RESERVE_WAL`);
    crashPoint("slot.made");
    return "new";
  } catch (error) {
    if (error instanceof DatabaseError && error.sqlState === "42710") return "present";
    throw error;
  }
}

/** Has the primary keep WAL for a standby while that is made, and from then on. A slot that was made for it goes again when
 * nothing comes of it: it would hold WAL for nobody.
 * @param make gets the slot's name; undefined, after a warning, when the primary cannot be asked
 * @throws what `make` throws */
export async function withStandbySlot(
  conninfo: string,
  name: string,
  log: Log,
  make: (slot: string | undefined) => Promise<void>,
): Promise<void> {
  const outcome = await slotForStandby(conninfo, name, log);
  try {
    await make(outcome === undefined ? undefined : name);
  } catch (error) {
    if (outcome === "new") await dropSlot(conninfo, name, log);
    throw error;
  }
}

async function slotForStandby(
  conninfo: string,
  name: string,
  log: Log,
): Promise<"new" | "present" | undefined> {
  let connection: ReplicationConnection | undefined;
  try {
    connection = await ReplicationConnection.open(conninfo, { connectTimeoutMs: 5000 });
    const outcome = await ensureSlot(connection, name);
    log.info(`Replication slot ${name} ${outcome === "new" ? "made" : "is there"} on the primary`);
    return outcome;
  } catch (error) {
    log.warn(`no slot on the primary: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  } finally {
    connection?.close();
  }
}

async function dropSlot(conninfo: string, name: string, log: Log): Promise<void> {
  let connection: ReplicationConnection | undefined;
  try {
    connection = await ReplicationConnection.open(conninfo, { connectTimeoutMs: 5000 });
    await connection.run(`DROP_REPLICATION_SLOT ${quoteSlot(name)}`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    log.warn(`slot ${name} stays on the primary, and holds WAL there: ${reason}`);
  } finally {
    connection?.close();
  }
}

/** The replication grammar quotes names as SQL does. */
function quoteSlot(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : quoteIdent(name);
}
