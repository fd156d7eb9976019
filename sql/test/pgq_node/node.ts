import { equal } from "node:assert/strict";
import type { Database } from "@skytools/skytools";

/** Calls a function that answers with ret_code and ret_note.
 * @returns both in one text, the note in quotes: `200 "Ok"`; `100 null` without a note */
export async function answer(db: Database, name: string, ...args: readonly unknown[]): Promise<string> {
  const { ret_code, ret_note } = await row(db, name, ...args);
  return `${Number(ret_code)} ${typeof ret_note === "string" ? `"${ret_note}"` : "null"}`;
}

/** Calls a function and returns its only row. */
export async function row(
  db: Database,
  name: string,
  ...args: readonly unknown[]
): Promise<Record<string, unknown>> {
  const rows = await rowsOf(db, name, ...args);
  equal(rows.length, 1, `${name} returned ${rows.length} rows`);
  return rows[0] ?? {};
}

/** Calls a function and returns its rows. */
export function rowsOf(
  db: Database,
  name: string,
  ...args: readonly unknown[]
): Promise<Record<string, unknown>[]> {
  const places = args.map((_, at) => `$${at + 1}`).join(", ");
  return db.query(`select * from ${name}(${places})`, args);
}

/** Registers locations `dbname=<node>` for some nodes of a queue. */
export async function registerLocations(
  db: Database,
  queue: string,
  ...nodes: readonly string[]
): Promise<void> {
  for (const node of nodes) {
    const location = `dbname=${node}`;
    equal(
      await answer(db, "pgq_node.register_location", queue, node, location, false),
      '200 "Location registered"',
    );
  }
}

/** Creates a root node called `root` with the worker `root_worker`. */
export async function createRoot(db: Database, queue: string): Promise<void> {
  await registerLocations(db, queue, "root");
  await createNode(db, queue, "root", "root", null, null, null);
}

/** Creates a branch or leaf, called like its type, below the node `provider`. */
export async function createSubscriber(
  db: Database,
  queue: string,
  type: "branch" | "leaf",
  watermark: bigint,
  combinedQueue: string | null = null,
): Promise<void> {
  await registerLocations(db, queue, type, "provider");
  await createNode(db, queue, type, type, "provider", watermark, combinedQueue);
}

async function createNode(
  db: Database,
  queue: string,
  type: string,
  node: string,
  provider: string | null,
  watermark: bigint | null,
  combined: string | null,
): Promise<void> {
  equal(
    await answer(
      db,
      "pgq_node.create_node",
      queue,
      type,
      node,
      `${node}_worker`,
      provider,
      watermark,
      combined,
    ),
    `200 "Node "${node}" initialized for queue "${queue}" with type "${type}""`,
  );
}

/** Positions of the consumers of a local queue: `name tick`, in order of name. */
export async function queuePositions(db: Database, queue: string): Promise<string[]> {
  const rows = await db.query<{ position: string }>(
    "select consumer_name || ' ' || last_tick as position from pgq.get_consumer_info($1)",
    [queue],
  );
  return rows.map(({ position }) => position).sort();
}

/** Events of a queue in order of insertion: type, data and the first three extras without trailing nulls. */
export async function queueEvents(db: Database, queue: string): Promise<(string | null)[][]> {
  const table = await db.queryValue<string>("select queue_data_pfx from pgq.queue where queue_name = $1", [
    queue,
  ]);
  const events = await db.query<{ fields: (string | null)[] }>(
    `select array[ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3] as fields from ${table} order by ev_id`,
  );
  return events.map(({ fields }) => fields.slice(0, fields.findLastIndex((field) => field !== null) + 1));
}

/** Makes pgq.ticker tick at every call, for all queues. */
export async function tickEagerly(db: Database): Promise<void> {
  await db.execute("update pgq.queue set queue_ticker_max_lag = '0', queue_ticker_idle_period = '0'");
}
