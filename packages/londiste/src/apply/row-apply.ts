import type { Database } from "@skytools/skytools";
import { DatabaseError, quoteLiteral, SkytoolsError } from "@skytools/skytools";
import { ApplyError } from "./apply-error.ts";
import { classifyEvent, type RowEventKind } from "./event-kind.ts";
import { eventStage } from "./event-stage.ts";
import { describeKey, rowStatement } from "./row-statement.ts";
import type { SegmentBounds, TableEvents } from "./set-apply.ts";
import type { TargetTable } from "./target-table.ts";

/** Most data held at once, in characters; a single event may be longer. */
const fetchBudget = 4_000_000;
const statementBudget = 256_000;
const maxFetch = 1000;
const maxStatements = 200;

interface StagedEventRow {
  ev_id: bigint;
  ev_txid: bigint;
  ev_type: string;
  ev_data: string | null;
  ev_extra1: string;
}

interface Statement {
  readonly sql: string;
  readonly event: StagedEventRow;
  readonly kind: RowEventKind;
  readonly table: TargetTable;
}

/** One table with its staged events and the shape of its destination; undefined when there is no such table. */
export interface RowTarget {
  readonly events: TableEvents;
  readonly table: TargetTable | undefined;
}

/** Applies staged row events one by one in the order of their ids: the reference that set-based apply has to equal, for formats
 * that cannot be handled as sets, and for finding the event that fails.
 * @returns number of events
 * @throws ApplyError naming the event */
export async function applyRowByRow(
  target: Database,
  tables: readonly RowTarget[],
  bounds: SegmentBounds,
): Promise<bigint> {
  const byName = new Map(tables.map((entry) => [entry.events.replicated.name, entry]));
  let pending: Statement[] = [];
  let pendingLength = 0;
  let count = 0n;
  for await (const event of stagedEvents(target, tables, bounds)) {
    count += 1n;
    const statement = prepare(event, byName.get(event.ev_extra1));
    if (statement === undefined) continue;
    pending.push(statement);
    pendingLength += statement.sql.length;
    if (pending.length < maxStatements && pendingLength < statementBudget) continue;
    await runAll(target, pending);
    pending = [];
    pendingLength = 0;
  }
  await runAll(target, pending);
  return count;
}

function prepare(event: StagedEventRow, entry: RowTarget | undefined): Statement | undefined {
  const kind = classifyEvent(event.ev_type, event.ev_extra1);
  if (entry === undefined || kind.kind !== "row") return undefined;
  const { table } = entry;
  if (table === undefined) {
    const name = entry.events.replicated.destination;
    throw new ApplyError(`table "${name}" does not exist on this node`, event.ev_id, event.ev_txid, name);
  }
  try {
    const sql = rowStatement(table, kind, event.ev_data ?? "");
    return sql === undefined ? undefined : { sql, event, kind, table };
  } catch (error) {
    if (!(error instanceof SkytoolsError)) throw error;
    throw new ApplyError(error.message, event.ev_id, event.ev_txid, table.name, { cause: error });
  }
}

/** Sends statements together; when one fails, finds out which by sending them one at a time. */
async function runAll(target: Database, statements: readonly Statement[]): Promise<void> {
  if (statements.length === 0) return;
  const all = statements.map((statement) => statement.sql).join("\n");
  try {
    await target.execute(`savepoint londiste_rows;\n${all}\nrelease savepoint londiste_rows`);
  } catch (error) {
    if (!(error instanceof DatabaseError) || target.isBroken) throw error;
    await target.execute("rollback to savepoint londiste_rows");
    for (const statement of statements) await runOne(target, statement);
    await target.execute("release savepoint londiste_rows");
  }
}

async function runOne(target: Database, statement: Statement): Promise<void> {
  try {
    await target.execute(statement.sql);
  } catch (error) {
    if (!(error instanceof DatabaseError) || target.isBroken) throw error;
    const { event, kind, table } = statement;
    const key = describeKey(kind, event.ev_data ?? "");
    throw new ApplyError(error.message, event.ev_id, event.ev_txid, table.name, {
      cause: error,
      key,
      operation: kind.operation,
      sqlState: error.sqlState,
      retry: error.retry,
    });
  }
}

/** Reads staged events in order with a cursor; how many at a time follows from how long they are. */
async function* stagedEvents(
  target: Database,
  tables: readonly RowTarget[],
  bounds: SegmentBounds,
): AsyncGenerator<StagedEventRow, void> {
  const conditions = [`ev_extra1 in (${tables.map(({ events }) => quoteLiteral(events.replicated.name)).join(", ")})`];
  if (bounds.afterId !== null) conditions.push(`ev_id > ${bounds.afterId}`);
  if (bounds.beforeId !== null) conditions.push(`ev_id < ${bounds.beforeId}`);
  const fetchCount = rowsAtOnce(tables);
  await target.execute(
    `declare londiste_events no scroll cursor for
     select ev_id, ev_txid, ev_type, ev_data, ev_extra1 from ${eventStage}
      where ${conditions.join(" and ")} order by ev_id`,
  );
  for (;;) {
    const rows = await target.query<StagedEventRow>(`fetch ${fetchCount} from londiste_events`);
    yield* rows;
    if (rows.length < fetchCount) break;
  }
  await target.execute("close londiste_events");
}

function rowsAtOnce(tables: readonly RowTarget[]): number {
  const groups = tables.flatMap(({ events }) => events.groups);
  const longest = Math.max(1, ...groups.map((group) => group.longestData));
  return Math.max(1, Math.min(maxFetch, Math.floor(fetchBudget / longest)));
}
