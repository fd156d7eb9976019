/** One event as a batch delivers it.
 * `time` is the server's own text (microseconds survive when it is written back); `retry` is null on first delivery,
 * else the number of earlier tries; `type` and `data` are null only when the producer stored null.
 * Source: pgq.get_batch_events(bigint); spec/pgq-library.md A5 */
export interface PgqEvent {
  readonly id: bigint;
  readonly time: string;
  readonly txid: bigint;
  readonly retry: number | null;
  readonly type: string | null;
  readonly data: string | null;
  readonly extra1: string | null;
  readonly extra2: string | null;
  readonly extra3: string | null;
  readonly extra4: string | null;
}

/** The event columns in the order in which batch queries return them. */
export const eventColumns = [
  "ev_id",
  "ev_time",
  "ev_txid",
  "ev_retry",
  "ev_type",
  "ev_data",
  "ev_extra1",
  "ev_extra2",
  "ev_extra3",
  "ev_extra4",
] as const;

/** One line that names an event in logs and errors, without its data: payloads may hold what logs must not. */
export function describeEvent(event: PgqEvent): string {
  const extra = event.extra1 === null ? "" : ` e1=${event.extra1}`;
  return `<id=${event.id} type=${event.type ?? ""}${extra}>`;
}
