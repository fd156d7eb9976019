import type { BatchInfo, PgqEvent } from "@skytools/pgq";
import { urlDecodeRow } from "@skytools/skytools";

/** Parameters that an event gives to a query: the columns of its url-encoded row, if it has one, and `pgq.*`.
 * Source: spec/scripts.md section 8 */
export function eventParameters(event: PgqEvent, batch: BatchInfo): Map<string, string | null> {
  const values = event.data === null ? new Map<string, string | null>() : urlDecodeRow(event.data);
  values.set("pgq.tick_id", String(batch.tickId));
  values.set("pgq.ev_id", String(event.id));
  values.set("pgq.ev_time", event.time);
  values.set("pgq.ev_type", event.type);
  values.set("pgq.ev_data", event.data);
  values.set("pgq.ev_extra1", event.extra1);
  values.set("pgq.ev_extra2", event.extra2);
  values.set("pgq.ev_extra3", event.extra3);
  values.set("pgq.ev_extra4", event.extra4);
  return values;
}
