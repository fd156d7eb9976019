import type { Database } from "@skytools/skytools";
import { pipeCopy, quoteLiteral } from "@skytools/skytools";

/** The session's own table that batches are loaded into; emptied by the server at each commit.
 * One for a session, not one for a batch: creating a table costs catalog rows that vacuum has to remove again. */
export const eventStage = "pg_temp.londiste_batch";

const columns = "ev_id, ev_txid, ev_retry, ev_type, ev_data, ev_extra1";

/** Creates the stage in a new session, and commits: it must survive the first batch's rollback. */
export async function createEventStage(target: Database): Promise<void> {
  await target.execute(
    `set temp_buffers = '32MB';
     create temporary table if not exists londiste_batch (
       ev_id int8 not null, ev_txid int8, ev_retry int4, ev_type text, ev_data text, ev_extra1 text,
       ev_time timestamptz, ev_extra2 text, ev_extra3 text, ev_extra4 text
     ) on commit delete rows`,
  );
  await target.commit();
}

export interface StageSource {
  readonly source: Database;
  /** SELECT with the event columns */
  readonly eventQuery: string;
  /** set names whose row data is needed; that of other tables is left behind on the provider */
  readonly tables: readonly string[];
  /** keep all columns: the events go on into a queue of the target */
  readonly isForQueue: boolean;
}

/** Loads the events of a batch as one COPY from server to server: no row is parsed here, memory does not depend on the batch.
 * @returns number of events */
export async function loadEventStage(target: Database, from: StageSource): Promise<bigint> {
  const more = from.isForQueue ? ", ev_time, ev_extra2, ev_extra3, ev_extra4" : "";
  const data = from.isForQueue ? "ev_data" : `${neededData(from.tables)} as ev_data`;
  const { rows } = await pipeCopy(
    from.source,
    `copy (select ev_id, ev_txid, ev_retry, ev_type, ${data}, ev_extra1${more} from (${unordered(from.eventQuery)}) as batch) to stdout`,
    target,
    `copy ${eventStage} (${columns}${more}) from stdin`,
  );
  return rows;
}

/** Control events always come with their data. */
function neededData(tables: readonly string[]): string {
  const names = tables.map((name) => quoteLiteral(name)).join(", ");
  const isWanted = names === "" ? "false" : `ev_extra1 in (${names})`;
  return `case when ${isWanted} or ev_type like 'pgq.%' or ev_type like 'londiste.%' then ev_data end`;
}

/** The order matters only where events are read one by one, and is made there: sorting a large batch with all its data on the
 * provider would cost more than reading it. */
function unordered(eventQuery: string): string {
  return eventQuery.replace(/\s+order\s+by\s+(?:1|ev_id)\s*;?\s*$/i, "");
}

/** Events of one type, table and segment. */
export interface StagedGroup {
  /** number of barriers before these events */
  readonly segment: number;
  readonly type: string | null;
  readonly extra1: string | null;
  readonly count: bigint;
  readonly minId: bigint;
  readonly maxId: bigint;
  /** total length of the data in characters */
  readonly dataLength: bigint;
  readonly longestData: number;
  readonly hasRetried: boolean;
}

interface GroupRow {
  segment: number;
  ev_type: string | null;
  ev_extra1: string | null;
  n: bigint;
  min_id: bigint;
  max_id: bigint;
  data_length: bigint;
  longest: number;
  has_retried: boolean;
}

/** Sums the staged events up by type, table and segment.
 * @param barriers event ids that separate segments, ascending */
export async function groupStagedEvents(
  target: Database,
  barriers: readonly bigint[] = [],
): Promise<StagedGroup[]> {
  const segment =
    barriers.length === 0
      ? "0"
      : `width_bucket(ev_id, ${quoteLiteral(`{${barriers.join(",")}}`)}::int8[])`;
  const rows = await target.query<GroupRow>(
    `select ${segment} as segment, ev_type, ev_extra1, count(*) as n, min(ev_id) as min_id, max(ev_id) as max_id,
            coalesce(sum(length(ev_data)), 0)::int8 as data_length, coalesce(max(length(ev_data)), 0) as longest,
            count(ev_retry) > 0 as has_retried
       from ${eventStage} group by 1, 2, 3 order by 1, 3, 2`,
  );
  return rows.map((row) => ({
    segment: row.segment,
    type: row.ev_type,
    extra1: row.ev_extra1,
    count: row.n,
    minId: row.min_id,
    maxId: row.max_id,
    dataLength: row.data_length,
    longestData: row.longest,
    hasRetried: row.has_retried,
  }));
}

/** Column names of some staged JSON events, by event id. */
export type ColumnSamples = ReadonlyMap<bigint, readonly string[]>;

/** Looks at the columns of the first and the last event of each group. That is enough to know whether all events have the same:
 * a table's columns change under a lock that its writers wait for, so events before and after a change are apart by id.
 * @returns nothing when an event cannot be read; whoever goes row by row will name it */
export async function sampleColumns(target: Database, groups: readonly StagedGroup[]): Promise<ColumnSamples> {
  const ids = new Set(groups.flatMap((group) => [group.minId, group.maxId]));
  if (ids.size === 0) return new Map();
  try {
    const rows = await target.query<{ ev_id: bigint; names: string[] | null }>(
      `savepoint londiste_sample;
       select ev_id, array(select pg_catalog.json_object_keys(ev_data::json)) as names
         from ${eventStage} where ev_id in (${[...ids].join(", ")})`,
    );
    await target.execute("release savepoint londiste_sample");
    return new Map(rows.map((row) => [row.ev_id, row.names ?? []]));
  } catch (error) {
    if (target.isBroken) throw error;
    await target.execute("rollback to savepoint londiste_sample; release savepoint londiste_sample");
    return new Map();
  }
}
