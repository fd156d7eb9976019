import { unordered } from "@skytools/londiste/apply";

/** Makes events of Skytools 2, whose type is a bare letter and whose key columns stand in ev_extra2, look as pgq.logutriga writes
 * them today. Partial SQL, which has such types too, shows by characters that url-encoding does not leave.
 * @param eventQuery SELECT of a batch's events
 * Source: spec/scripts.md sections 5 and 14 */
export function withKeyInType(eventQuery: string): string {
  return `select ev_id, ev_time, ev_txid, ev_retry,
    case when ev_type in ('I', 'U', 'D') and ev_data ~ '^[A-Za-z0-9_.%+=&-]*$'
         then ev_type || ':' || coalesce(ev_extra2, '') else ev_type end as ev_type,
    ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4 from (${unordered(eventQuery)}) as event`;
}
