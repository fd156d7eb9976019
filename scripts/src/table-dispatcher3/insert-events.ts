import { unordered } from "@skytools/londiste/apply";
import { withKeyInType } from "../loading/old-key-list.ts";

/** Makes inserts of events that programs have written under types of their own; what is known to be something else stays.
 * @param eventQuery SELECT of a batch's events
 * Source: spec/scripts.md section 7 */
export function asInserts(eventQuery: string): string {
  return `select ev_id, ev_time, ev_txid, ev_retry,
    case when ev_type ~ '^([IUD](:.*)?|R|EXECUTE|[{].*|pgq[.].*|londiste[.].*)$' then ev_type else 'I:' end as ev_type,
    ev_data, coalesce(ev_extra1, '') as ev_extra1, ev_extra2, ev_extra3, ev_extra4
    from (${unordered(withKeyInType(eventQuery))}) as row_event`;
}
