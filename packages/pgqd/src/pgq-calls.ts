import { type Database, quoteFqIdent } from "@skytools/skytools";

/* The SQL of the daemon. It is part of the interface between ticker and schema: both the original C-backed PgQ and ours
 * answer it. Source: spec/sql-pgq.md section 1 */

/** What a database has to offer. */
export interface PgqPresence {
  readonly isInRecovery: boolean;
  readonly hasSchema: boolean;
  readonly hasTicker: boolean;
  /** pgq.version(); null when it is missing or says nothing, as for a plain SQL install of old releases */
  readonly version: string | null;
}

export async function lookForPgq(db: Database): Promise<PgqPresence> {
  const found = await db.queryOne<{
    in_recovery: boolean;
    has_schema: boolean;
    has_version: boolean;
    has_ticker: boolean;
  }>(
    `select pg_catalog.pg_is_in_recovery() as in_recovery,
            exists (select from pg_catalog.pg_namespace where nspname = 'pgq') as has_schema,
            exists (select from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
                     where n.nspname = 'pgq' and p.proname = 'version' and p.pronargs = 0) as has_version,
            exists (select from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
                     where n.nspname = 'pgq' and p.proname = 'ticker' and p.pronargs = 0) as has_ticker`,
  );
  const version = found.has_version
    ? await db.queryOne<{ version: string | null }>("select pgq.version() as version")
    : undefined;
  return {
    isInRecovery: found.in_recovery,
    hasSchema: found.has_schema,
    hasTicker: found.has_ticker,
    version: version?.version ?? null,
  };
}

/** True for PgQ 3 and later. A version that says nothing counts as good when there is a ticker to call. */
export function isVersionGood(presence: PgqPresence): boolean {
  if (!presence.hasTicker) return false;
  return presence.version === null || Number.parseInt(presence.version, 10) >= 3;
}

/* Advisory lock keys of this program ("pgqd" and "tick", "main", "rtry" in ASCII). The locks end with the statement's transaction, so
 * they hold behind a transaction pooler too, and a second pgqd takes over as soon as the first is gone. */
const lockClass = 0x70677164;
const tickLock = 0x7469636b;
const maintenanceLock = 0x6d61696e;
const retryLock = 0x72747279;

function onlyOneAtATime(call: string, lock: number): string {
  return `select ${call} as result from (
    select pg_catalog.pg_try_advisory_xact_lock(${lockClass}, ${lock}) as is_free offset 0) as gate where is_free`;
}

const tickSql = onlyOneAtATime("pgq.ticker()", tickLock);

/** Ticks every queue that is due. Two tickers must never run at once in a database, so a second one does nothing.
 * @returns false when another ticker was at work */
export async function tick(db: Database): Promise<boolean> {
  return (await db.query(tickSql)).length > 0;
}

const retrySql = onlyOneAtATime("pgq.maint_retry_events()", retryLock);

/** Moves due events from the retry queue back. The original's function, called twice at once, would move an event twice: a
 * second mover does nothing.
 * @returns how many; more may be waiting unless 0 */
export async function moveRetryEvents(db: Database): Promise<bigint> {
  const rows = await db.query<{ result: number }>(retrySql);
  return BigInt(rows[0]?.result ?? 0);
}

/** One thing to do in a maintenance round. */
export interface MaintenanceOperation {
  readonly name: string;
  readonly argument: string | null;
}

export async function listMaintenance(db: Database): Promise<MaintenanceOperation[]> {
  const rows = await db.query<{ func_name: string; func_arg: string | null }>(
    "select func_name, func_arg from pgq.maint_operations()",
  );
  return rows.map((row) => ({ name: row.func_name, argument: row.func_arg }));
}

/** Runs one operation, in a transaction of its own; vacuum outside of one.
 * @returns true when the operation wants to be called again at once */
export async function runMaintenance(db: Database, operation: MaintenanceOperation): Promise<boolean> {
  const { name, argument } = operation;
  if (/^vacuum( analyze)?$/i.test(name)) {
    if (argument !== null) await db.execute(`${name} ${quoteFqIdent(argument)}`);
    return false;
  }
  const call = `${quoteFqIdent(name)}(${argument === null ? "" : "$1"})`;
  const rows = await db.query<{ result: unknown }>(
    onlyOneAtATime(call, maintenanceLock),
    argument === null ? [] : [argument],
  );
  const result = rows[0]?.result;
  return (typeof result === "number" && result !== 0) || (typeof result === "bigint" && result !== 0n);
}

/** Databases that accept connections and are not templates. */
export async function listDatabases(db: Database): Promise<string[]> {
  const rows = await db.query<{ datname: string }>(
    "select datname from pg_catalog.pg_database where not datistemplate and datallowconn order by datname",
  );
  return rows.map((row) => row.datname);
}

/** What the server does for another session: "gone": it has none of that number; "unknown": a pooler is in between, which
 * hands out numbers of its own. */
export type BackendActivity =
  | "gone"
  | "unknown"
  | {
      /** set when it waits for its client: for how long, milliseconds */
      readonly idleMs: number | undefined;
      readonly waitsFor: string | undefined;
    };

export async function backendActivity(db: Database, backendPid: number): Promise<BackendActivity> {
  const row = await db.queryOne<{
    own_pid: number;
    pid: number | null;
    idle_ms: number | null;
    waits_for: string | null;
  }>(
    `select pg_catalog.pg_backend_pid() as own_pid, a.pid,
            case when a.state like 'idle%'
                 then extract(epoch from pg_catalog.clock_timestamp() - a.state_change)::float8 * 1000 end as idle_ms,
            a.wait_event_type || ' ' || a.wait_event as waits_for
       from (select) as one left join pg_catalog.pg_stat_activity a on a.pid = $1::int4`,
    [backendPid],
  );
  if (row.own_pid !== db.backendPid) return "unknown";
  if (row.pid === null) return "gone";
  return { idleMs: row.idle_ms ?? undefined, waitsFor: row.waits_for ?? undefined };
}
