import type { PgqEvent } from "@skytools/pgq";

const fields = ["type", "data", "extra1", "extra2", "extra3", "extra4"] as const;

/** What `queue_field` may be: with or without the prefix of the columns. */
export const fieldNames: readonly string[] = [...fields, ...fields.map((name) => `ev_${name}`)];

/** A text field of an event by its configured name. */
export function eventField(event: PgqEvent, name: string): string | null {
  const field = fields.find((each) => each === name.replace(/^ev_/, ""));
  if (field === undefined) throw new RangeError(`events have no field "${name}"`);
  return event[field];
}
