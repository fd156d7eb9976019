import type { Database } from "@skytools/skytools";
import { classifyEventType, type RowEventKind } from "../apply/event-kind.ts";
import { decodeRow, encodeRaw } from "../apply/row-layout.ts";
import type { TargetColumn } from "../apply/target-table.ts";
import type { RowCorrection } from "./table-checksum.ts";

/** More events than this are not corrected for: replay has to come closer first. */
const maxGapEvents = 20_000;

/** How the replayed table differs from the source's snapshot by events that are not replayed yet. */
export type ReplayGap =
  | { readonly kind: "none" }
  | { readonly kind: "corrected"; readonly correction: RowCorrection; readonly events: number }
  /** try again when replay has come closer, or the events are through */
  | { readonly kind: "open"; readonly reason: string };

interface GapEvent {
  ev_type: string | null;
  ev_data: string | null;
}

/** Reads the events of a table that the source's snapshot has and the tick has not.
 * @param source in REPEATABLE READ: sees exactly the events whose effects its snapshot has
 * @param tickId the tick up to which the target has replayed
 * @param columns that are compared */
export async function readReplayGap(
  source: Database,
  queueName: string,
  table: string,
  tickId: bigint,
  columns: readonly TargetColumn[],
): Promise<ReplayGap> {
  const tick = await source.queryMaybe<{ snapshot: string; parent: string }>(
    `select t.tick_snapshot::text as snapshot, pgq.quote_fqname(q.queue_data_pfx) as parent
       from pgq.queue q join pgq.tick t on t.tick_queue = q.queue_id
      where q.queue_name = $1 and t.tick_id = $2`,
    [queueName, tickId],
  );
  if (tick === undefined) return { kind: "open", reason: `tick ${tickId} is not on the provider any more` };
  const events = await source.query<GapEvent>(
    `select ev_type, ev_data from ${tick.parent}
      where ev_txid >= txid_snapshot_xmin($1::txid_snapshot) and ev_extra1 = $2
        and not txid_visible_in_snapshot(ev_txid, $1::txid_snapshot)
      order by ev_id limit ${maxGapEvents + 1}`,
    [tick.snapshot, table],
  );
  if (events.length === 0) return { kind: "none" };
  if (events.length > maxGapEvents) return { kind: "open", reason: "replay lags far behind" };
  return correctionOf(events, columns);
}

function correctionOf(events: readonly GapEvent[], columns: readonly TargetColumn[]): ReplayGap {
  const images = new Map<string, Image>();
  let key: readonly string[] | undefined;
  for (const event of events) {
    const kind = classifyEventType(event.ev_type);
    if (kind.kind !== "row" || kind.format === "sql")
      return { kind: "open", reason: "events that are no row images" };
    const image = imageOf(kind, event.ev_data ?? "", columns);
    if (typeof image === "string") return { kind: "open", reason: image };
    if (key !== undefined && key.join("\0") !== image.keyNames.join("\0")) {
      return { kind: "open", reason: "the key has changed" };
    }
    key = image.keyNames;
    // The last one comes last.
    images.delete(image.key);
    images.set(image.key, image);
  }
  const keyColumns = (key ?? []).flatMap((name) => columns.find((column) => column.name === name) ?? []);
  if (keyColumns.length === 0 || keyColumns.length < (key?.length ?? 0)) {
    return { kind: "open", reason: "the key is not among the common columns" };
  }
  const all = [...images.values()];
  return {
    kind: "corrected",
    events: events.length,
    correction: {
      key: keyColumns,
      rows: columns.map(({ name }) => all.map((image) => image.row.get(name) ?? null)),
      isThere: all.map((image) => image.isThere),
    },
  };
}

interface Image {
  readonly keyNames: readonly string[];
  /** distinguishes keys */
  readonly key: string;
  readonly row: ReadonlyMap<string, string | null>;
  /** false: the event deletes the row */
  readonly isThere: boolean;
}

/** @returns why not, when a column is absent */
function imageOf(kind: RowEventKind, data: string, columns: readonly TargetColumn[]): Image | string {
  if (kind.format === "sql") return "events that are no row images";
  const row = decodeRow(kind.format, encodeRaw(data));
  const keyNames = kind.key;
  const isWhole = [...keyNames, ...columns.map((column) => column.name)].every((name) => row.has(name));
  if (!isWhole) return "the columns have changed";
  return {
    keyNames,
    key: JSON.stringify(keyNames.map((name) => row.get(name))),
    row,
    isThere: kind.operation !== "delete",
  };
}
