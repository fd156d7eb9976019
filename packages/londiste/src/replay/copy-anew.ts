import type { Database, Log } from "@skytools/skytools";
import { moveTable } from "./move-table.ts";

/** A table of a set, as one of the queues of this database knows it. */
export interface Registration {
  readonly queueName: string;
  /** set name */
  readonly name: string;
}

/** Locks the rows of registrations in an order that is the same for everybody: several of them are moved in one transaction, and
 * others, for other queues of this database, may be about to move the same ones. */
export async function lockRegistrations(db: Database, registrations: readonly Registration[]): Promise<void> {
  await db.query(
    `select from londiste.table_info
      where (queue_name, table_name) in (select * from unnest($1::text[], $2::text[]))
      order by queue_name collate "C", table_name collate "C" for update`,
    [registrations.map(({ queueName }) => queueName), registrations.map(({ name }) => name)],
  );
}

/** Forgets that tables were copied: their worker copies them again. Within the open transaction, which the caller commits. */
export async function copyAnew(
  db: Database,
  log: Log,
  registrations: readonly Registration[],
): Promise<void> {
  await lockRegistrations(db, registrations);
  for (const { queueName, name } of registrations) {
    await moveTable(db, log, { queueName, table: name, event: "resync" });
  }
}
