import { type Database, pipeCopy, quoteLiteral, SkytoolsError } from "@skytools/skytools";
import { unordered } from "../batch-reader.ts";
import { currentEventTable } from "../pgq-api.ts";
import { PassingRows } from "./passing-rows.ts";

const restColumns = "ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4";
const mergedColumns = `ev_time, ev_type, ${restColumns}`;
/** in the order that PassingRows wants */
const mirroredColumns = `ev_type, ev_time, ${restColumns}, ev_id`;
/** A retried event does not belong here: it is passed off as one of the cascade's, so that it is looked at and refused. */
const watchedType = "case when ev_retry is null then ev_type else 'pgq.retried' end";

/** What went into a branch's queue. */
export interface MirroredBatch {
  readonly eventCount: bigint;
  /** 0 when there were no events */
  readonly maxEventId: bigint;
  /** true: `pgq.*` events, or retried ones, are in the batch */
  readonly hasCascadeEvents: boolean;
}

/** Copies the events of a batch into a branch's queue, ids and times kept, as one COPY from server to server inside the
 * target's open transaction. They go as the provider finds them: who reads a queue sorts by id, and the first rows are on their way
 * before the provider has seen the last. Transaction ids are not copied: on every node events carry local ones.
 * @param eventQuery the batch's SELECT
 * @param publishedWatermark tick that copied `pgq.global-watermark` events are to name instead of their own
 * Source: spec/cascade.md 7.3 "Copied columns", 7.4 */
export async function mirrorEvents(
  source: Database,
  eventQuery: string,
  target: Database,
  queueName: string,
  publishedWatermark?: bigint | null,
): Promise<MirroredBatch> {
  const table = await openBranchTable(target, queueName);
  const data = publishedWatermark == null ? "ev_data" : dataWithWatermark(publishedWatermark);
  const selected = mirroredColumns.replace("ev_type", watchedType).replace("ev_data", data);
  const passing = new PassingRows();
  const { rows } = await pipeCopy(
    source,
    `copy (select ${selected} from (${unordered(eventQuery)}) as batch) to stdout`,
    target,
    `copy ${table} (${mirroredColumns}) from stdin`,
    { onRows: (bytes) => passing.take(bytes) },
  );
  return {
    eventCount: rows,
    maxEventId: passing.highestEventId,
    hasCascadeEvents: passing.hasCascadeEvents,
  };
}

/** Copies the events of a part's batch into the combined queue: in order, times kept, under ids of the combined queue, all
 * but the cascade's own.
 * @param where further condition over the event columns
 * @throws SkytoolsError CASCADE_COMBINED while the combined queue's root is being demoted
 * Source: spec/cascade.md 7.1, 7.5 */
export async function mergeEvents(
  source: Database,
  eventQuery: string,
  target: Database,
  combinedQueue: string,
  where?: string,
): Promise<void> {
  const table = await currentEventTable(target, combinedQueue);
  await joinWriters(target, combinedQueue, table);
  const condition = `coalesce(ev_type, '') not like 'pgq.%'${where === undefined ? "" : ` and (${where})`}`;
  await pipeCopy(
    source,
    `copy (select ${mergedColumns} from (${eventQuery}) as batch where ${condition} order by ev_id) to stdout`,
    target,
    `copy ${table} (${mergedColumns}) from stdin`,
  );
}

/** A session in replication role replica passes the queue's own guard against inserts, so it is repeated here, behind the
 * lock that makes the last tick of a demotion wait for this transaction: no event comes after that tick. */
async function joinWriters(target: Database, queueName: string, table: string): Promise<void> {
  await target.execute(`lock table ${table} in row exclusive mode`);
  const isClosed = await target.queryValue<boolean>(
    "select queue_disable_insert from pgq.queue where queue_name = $1",
    [queueName],
  );
  if (isClosed !== true) return;
  throw new SkytoolsError(
    "CASCADE_COMBINED",
    `combined queue "${queueName}" takes no events on ${target.label}`,
    { retry: "later", hint: "Its root is being moved to another node; the merge goes on once that is done." },
  );
}

function dataWithWatermark(tickId: bigint): string {
  return `case ev_type when 'pgq.global-watermark' then ${quoteLiteral(String(tickId))} else ev_data end`;
}

/** The table that takes a branch's events. Its queue refuses inserts except in replication role replica; nothing is set where
 * that is the role already, since setting it takes a privilege. */
async function openBranchTable(target: Database, queueName: string): Promise<string> {
  const row = await target.queryOne<{ name: string }>(
    `select case when current_setting('session_replication_role') <> 'replica'
                 then set_config('session_replication_role', 'replica', true) end as role,
            pgq.current_event_table($1) as name`,
    [queueName],
  );
  return row.name;
}
