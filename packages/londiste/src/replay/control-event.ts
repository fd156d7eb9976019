import type { PgqEvent } from "@skytools/pgq";
import type { Database, Log } from "@skytools/skytools";
import { SkytoolsError } from "@skytools/skytools";

/** Replays a `londiste.*` event within the target's transaction. The functions' return codes are logged and not judged: an event
 * may name what this node never had.
 * @throws SkytoolsError LONDISTE_EVENT for an event that this version does not know
 * Source: spec/londiste.md 9.2 */
export async function applyLondisteEvent(
  target: Database,
  log: Log,
  queueName: string,
  event: PgqEvent,
): Promise<void> {
  switch (event.type ?? "") {
    case "londiste.add-table":
      return call(target, log, "londiste.global_add_table($1, $2)", [queueName, event.data]);
    case "londiste.remove-table":
      return call(target, log, "londiste.global_remove_table($1, $2)", [queueName, event.data]);
    case "londiste.remove-seq":
      return call(target, log, "londiste.global_remove_seq($1, $2)", [queueName, event.data]);
    case "londiste.update-seq":
      return call(target, log, "londiste.global_update_seq($1, $2, $3::int8)", [
        queueName,
        event.extra1,
        event.data,
      ]);
    default:
      throw new SkytoolsError(
        "LONDISTE_EVENT",
        `Unhandled event type in queue: ${event.type ?? ""} (queue "${queueName}", event ${event.id})`,
        { retry: "later" },
      );
  }
}

async function call(
  target: Database,
  log: Log,
  functionCall: string,
  parameters: readonly unknown[],
): Promise<void> {
  const row = await target.queryOne<{ ret_code: number; ret_note: string }>(
    `select ret_code, ret_note from ${functionCall}`,
    parameters,
  );
  if (row.ret_code >= 300) log.warn(row.ret_note);
  else log.debug(`${row.ret_code} ${row.ret_note}`);
}
