import type { Database } from "@skytools/skytools";
import type { NewEvent } from "./pgq-api.ts";

const mostEvents = 1000;
const mostCharacters = 1024 * 1024;

/** Inserts many events through the queue's functions, within the open transaction: with the rights of pgq_writer, and counted
 * by the limit of events a transaction. Their time is that of the transaction.
 * @param events taken a thousand at a time, fewer when they are large
 * @returns number of events
 * @throws DatabaseError when the queue does not exist, has inserts disabled, or takes no more from this transaction
 * Source: pgq.insert_events; in a PgQ without it, pgq.insert_event */
export async function insertEventsByCall(
  db: Database,
  queueName: string,
  events: Iterable<NewEvent> | AsyncIterable<NewEvent>,
): Promise<number> {
  const sql = await insertSql(db);
  let count = 0;
  let waiting: NewEvent[] = [];
  let characters = 0;
  const flush = async () => {
    if (waiting.length > 0) await db.query(sql, [queueName, ...columnsOf(waiting)]);
    count += waiting.length;
    waiting = [];
    characters = 0;
  };
  for await (const event of events) {
    waiting.push(event);
    characters += event.data?.length ?? 0;
    if (waiting.length >= mostEvents || characters >= mostCharacters) await flush();
  }
  await flush();
  return count;
}

async function insertSql(db: Database): Promise<string> {
  const arrays = "$2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[]";
  const isInBulk = await db.queryValue<boolean>(
    "select to_regprocedure('pgq.insert_events(text,text[],text[],text[],text[],text[],text[])') is not null",
  );
  if (isInBulk === true) return `select count(*) from pgq.insert_events($1, ${arrays})`;
  return `select count(pgq.insert_event($1, t, d, e1, e2, e3, e4))
    from (select * from unnest(${arrays}) with ordinality e (t, d, e1, e2, e3, e4, nr) order by nr) e`;
}

function columnsOf(events: readonly NewEvent[]): (string | null)[][] {
  return [
    events.map((event) => event.type),
    events.map((event) => event.data),
    events.map((event) => event.extra1 ?? null),
    events.map((event) => event.extra2 ?? null),
    events.map((event) => event.extra3 ?? null),
    events.map((event) => event.extra4 ?? null),
  ];
}
