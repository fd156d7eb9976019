import { type FirstEvent, loadTargetTables } from "@skytools/londiste/apply";
import { type Database, SkytoolsError } from "@skytools/skytools";

/** @param table `schema.table`, plain
 * @throws SkytoolsError NO_TABLE, with what to do about it, when there is no such table */
export async function requireTable(
  target: Database,
  table: string,
  event: FirstEvent,
  hint: string,
): Promise<void> {
  if ((await loadTargetTables(target, [table])).size > 0) return;
  throw new SkytoolsError(
    "NO_TABLE",
    `event ${event.id} of "${event.table}" is for table "${table}", which does not exist on ${target.label}`,
    { retry: "later", hint },
  );
}
