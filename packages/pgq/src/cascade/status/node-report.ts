import type { Database } from "@skytools/skytools";
import type { CascadeAdmin } from "../cascade-admin.ts";
import type { NodeInfo } from "../node-info.ts";
import { getCascadedConsumers, getNodeInfo } from "../pgq-node-api.ts";

/** Where a consumer of a node's queue stands, in the node's clock. */
export interface QueueConsumer {
  readonly consumerName: string;
  /** time of the tick that it has finished, seconds since the epoch */
  readonly finishedSeconds: number | null;
  /** time of the tick that ends its open batch; null when none is open */
  readonly fetchedSeconds: number | null;
  /** age of its last step */
  readonly silentSeconds: number;
}

/** The queue that a root or branch holds. */
export interface QueueReport {
  readonly newestTick: bigint | null;
  /** time of the newest tick, seconds since the epoch */
  readonly newestTickSeconds: number | null;
  /** events that came after the newest tick, about */
  readonly waitingEvents: number;
  /** age at which a tick that should have come is late */
  readonly lateTickSeconds: number;
  readonly rotationSeconds: number;
  readonly isTickerPaused: boolean;
  readonly hasExternalTicker: boolean;
  readonly consumers: readonly QueueConsumer[];
}

/** What the server says about the worker's session and about transactions that others keep waiting. */
export interface SessionReport {
  /** false: no session of the worker's name in the node's database */
  readonly isWorkerThere: boolean;
  /** whom the worker waits for, for example: program "psql" of user "ann", pid 812, whose transaction is open for 340 s */
  readonly blocker: string | null;
  /** longest open transaction of the database */
  readonly oldestTransactionSeconds: number | null;
  readonly oldestTransaction: string | null;
}

/** What one node tells about itself and about those who read from it. */
export interface NodeReport {
  readonly node: NodeInfo;
  readonly nowSeconds: number;
  /** null on a leaf */
  readonly queue: QueueReport | null;
  readonly session: SessionReport;
  readonly errors: readonly { readonly consumerName: string; readonly message: string }[];
  readonly lines: readonly string[];
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A tick is never called late before this age. */
const lateTickSeconds = 10;

/** Asks a node; leaves no transaction open.
 * @throws Error when the database has no node of the queue; DatabaseError */
export async function readNodeReport(admin: CascadeAdmin, db: Database): Promise<NodeReport> {
  const { queueName } = admin;
  const node = await getNodeInfo(db, queueName);
  if (node === undefined) throw new Error(`queue "${queueName}" has no node in ${db.label}`);
  const consumers = await getCascadedConsumers(db, queueName);
  const extra = (await admin.hooks?.nodeStatus?.(db, queueName)) ?? { lines: [], fields: {} };
  const { now } = await db.queryOne<{ now: number }>("select extract(epoch from now())::float8 as now");
  const queue = node.nodeType === "leaf" ? null : await readQueue(db, queueName);
  const session = await readSession(db, node.workerName);
  await db.commit();
  return {
    node,
    nowSeconds: now,
    queue,
    session,
    errors: consumers
      .filter((consumer) => consumer.currentError !== null)
      .map((consumer) => ({ consumerName: consumer.consumerName, message: consumer.currentError! })),
    lines: extra.lines,
    fields: extra.fields,
  };
}

async function readQueue(db: Database, queueName: string): Promise<QueueReport> {
  const queue = await db.queryOne<Omit<QueueReport, "consumers">>(
    `select last_tick_id as "newestTick",
            extract(epoch from now() - ticker_lag)::float8 as "newestTickSeconds",
            coalesce(ev_new, 0)::float8 as "waitingEvents",
            extract(epoch from greatest(queue_ticker_max_lag * 3, interval '${lateTickSeconds} seconds'))::float8
              as "lateTickSeconds",
            extract(epoch from queue_rotation_period)::float8 as "rotationSeconds",
            queue_ticker_paused as "isTickerPaused",
            queue_external_ticker as "hasExternalTicker"
       from pgq.get_queue_info($1)`,
    [queueName],
  );
  const consumers = await db.query<QueueConsumer>(
    `select c.consumer_name as "consumerName",
            extract(epoch from now() - c.lag)::float8 as "finishedSeconds",
            extract(epoch from t.tick_time)::float8 as "fetchedSeconds",
            extract(epoch from c.last_seen)::float8 as "silentSeconds"
       from pgq.get_consumer_info($1::text) c
       join pgq.queue q on q.queue_name = c.queue_name
       left join pgq.tick t on t.tick_queue = q.queue_id and t.tick_id = c.next_tick`,
    [queueName],
  );
  return { ...queue, consumers };
}

/** Sessions are known by their application name, which is the job name: those of the database's nodes are called by what they do,
 * others by program and user. Sessions of other users show their name to everybody, what they do only to those who may read all
 * statistics. */
async function readSession(db: Database, workerName: string): Promise<SessionReport> {
  return db.queryOne<SessionReport>(
    `with other as (
       select a.pid, a.xact_start, a.wait_event_type, left($1, 63) = a.application_name as is_worker,
              coalesce(
                known.consumer || format(', pid %s', a.pid),
                format('%s of user "%s", pid %s%s', coalesce('program "' || nullif(a.application_name, '') || '"', 'a program without a name'),
                       a.usename, a.pid, ' on host ' || host(a.client_addr))
              ) as who
         from pg_stat_activity a
         left join lateral (
           select format('%s "%s" of node "%s" (queue "%s")',
                         case when s.consumer_name = n.worker_name then 'the worker' else 'consumer' end,
                         s.consumer_name, n.node_name, n.queue_name) as consumer
             from pgq_node.local_state s join pgq_node.node_info n on n.queue_name = s.queue_name
            where left(s.consumer_name, 63) = a.application_name
            order by s.consumer_name = n.worker_name desc, n.queue_name limit 1
         ) known on true
        where a.datname = current_database() and a.pid <> pg_backend_pid()
     ), oldest as (
       select extract(epoch from clock_timestamp() - xact_start)::float8 as seconds, who
         from other where xact_start is not null and not is_worker
        order by xact_start limit 1
     )
     select exists (select from other where is_worker) as "isWorkerThere",
            (select format('%s, whose transaction is open for %s s', b.who, floor(extract(epoch from clock_timestamp() - b.xact_start)))
               from other w
              cross join lateral unnest(pg_blocking_pids(w.pid)) as blocking (pid)
               join other b on b.pid = blocking.pid
              where w.is_worker and w.wait_event_type = 'Lock' limit 1) as blocker,
            (select seconds from oldest) as "oldestTransactionSeconds",
            (select who from oldest) as "oldestTransaction"`,
    [workerName],
  );
}
