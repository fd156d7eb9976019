import { type Database, TableStructure } from "@skytools/skytools";
import type { TableHandler } from "../handler/handler.ts";

/** What a handler adds to the registration of a table. Columns by which it decides where a row belongs become part of the key in
 * the table's events: a change of one is a delete of the old row and an insert of the new one then, each for the place where it
 * belongs. That needs a generated trigger, as others refuse changes of a key, and columns that are never NULL.
 * @param given tokens and trigger arguments of the switches
 * @param destination the local table, plain
 * Source: spec/londiste.md 12.5, 12.7 */
export async function handlerRegistration(
  local: Database,
  handler: TableHandler,
  given: readonly string[],
  destination: string,
): Promise<readonly string[]> {
  const registration = handler.registration ?? [];
  const columns = handler.keyColumns ?? [];
  if (columns.length === 0 || [...given, ...registration].some(isAgainstKeyColumns)) return registration;
  const table = await TableStructure.find(local, destination);
  const further = columns.filter(
    (name) => table?.primaryKey.includes(name) === false && table.column(name)?.notNull === true,
  );
  const names = [...(table?.primaryKey ?? []), ...further];
  // The argument is a list with commas, without quotes.
  if (further.length === 0 || names.some((name) => /[,\s"']/.test(name))) return registration;
  return [...registration, `pkey=${names.join(",")}`];
}

/** The user has named the key, or asked for a trigger that is not generated, or for none. */
function isAgainstKeyColumns(argument: string): boolean {
  return (
    /^(?:pkey=|tgflags=.*[LJQBS])/i.test(argument) || ["no_triggers", "virtual_table"].includes(argument)
  );
}
