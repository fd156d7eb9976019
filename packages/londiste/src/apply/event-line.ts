import { type PgqEvent, unordered } from "@skytools/pgq";
import { quoteLiteral } from "@skytools/skytools";
import { copyNull, decodeRaw, readableRaw } from "./row-layout.ts";

/** An event as it comes off the COPY stream: raw fields, see row-layout.ts. */
export interface RawEvent {
  readonly type: string;
  readonly extra1: string;
  readonly id: string;
  readonly txid: string;
  readonly isRetried: boolean;
  /** of control events and of those that need it: time and other extras as a JSON array */
  readonly more: string;
  readonly data: string;
}

/** The COPY command that reads a batch for us: of row events only what applying needs. Type and table come first: together they
 * decide what happens to the rest.
 * @param eventQuery SELECT with the event columns
 * @param tables set names whose data is wanted; that of other tables stays where it is
 * @param wholeTables set names of tables whose events are wanted with everything in them; "all" of either: of every table
 * @param isOrdered false: in whatever order the server finds them, which spares it sorting a large batch with all its data */
export function readEventsSql(
  eventQuery: string,
  tables: TableChoice,
  wholeTables: TableChoice,
  isOrdered: boolean,
): string {
  const isWanted = isAmong(tables);
  const isWhole = isAmong(wholeTables);
  const isControl = "ev_type like 'pgq.%' or ev_type like 'londiste.%' or ev_type = 'EXECUTE'";
  return `copy (
    select ev_type, ev_extra1, ev_id, ev_txid, ev_retry,
           case when ${isControl} or ${isWhole} then json_build_array(ev_time::text, ev_extra2, ev_extra3, ev_extra4)::text end,
           case when ${isWanted} or ${isControl} then ev_data end
      from (${unordered(eventQuery)}) as batch${isOrdered ? " order by ev_id" : ""}) to stdout`;
}

/** Names, or every table. */
export type TableChoice = readonly string[] | "all";

function isAmong(tables: TableChoice): string {
  if (tables === "all") return "true";
  return tables.length === 0
    ? "false"
    : `ev_extra1 in (${tables.map((name) => quoteLiteral(name)).join(", ")})`;
}

/** Splits a line of that COPY, without its line end. */
export function parseEventLine(line: string): RawEvent {
  const fields = line.split("\t");
  return {
    type: fields[0]!,
    extra1: fields[1]!,
    id: fields[2]!,
    txid: fields[3]!,
    isRetried: fields[4] !== copyNull,
    more: fields[5]!,
    data: fields[6]!,
  };
}

/** An event with everything in it.
 * @throws SkytoolsError EVENT_DATA for text that is none */
export function decodeEvent(raw: RawEvent): PgqEvent {
  const more = decodeRaw(raw.more);
  const [time, extra2, extra3, extra4] = (more === null ? [] : JSON.parse(more)) as (string | null)[];
  return {
    id: BigInt(raw.id),
    txid: BigInt(raw.txid),
    time: time ?? "",
    retry: null,
    type: readableRaw(raw.type),
    data: decodeRaw(raw.data),
    extra1: readableRaw(raw.extra1),
    extra2: extra2 ?? null,
    extra3: extra3 ?? null,
    extra4: extra4 ?? null,
  };
}
