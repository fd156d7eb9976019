import { describeEvent, type PgqEvent } from "@skytools/pgq";
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
      return call(target, log, "londiste.global_add_table($1, $2)", [queueName, nameIn(event, event.data)]);
    case "londiste.remove-table":
      return call(target, log, "londiste.global_remove_table($1, $2)", [
        queueName,
        nameIn(event, event.data),
      ]);
    case "londiste.remove-seq":
      return call(target, log, "londiste.global_remove_seq($1, $2)", [queueName, nameIn(event, event.data)]);
    case "londiste.update-seq":
      return call(target, log, "londiste.global_update_seq($1, $2, $3::int8)", [
        queueName,
        nameIn(event, event.extra1),
        positionIn(event),
      ]);
    default:
      throw new SkytoolsError(
        "LONDISTE_EVENT",
        `Unhandled event type in queue: ${event.type ?? ""} (queue "${queueName}", event ${event.id})`,
        { retry: "later" },
      );
  }
}

function nameIn(event: PgqEvent, name: string | null): string {
  if (name === null || name === "") throw badEvent(event, "names nothing");
  return name;
}

function positionIn(event: PgqEvent): string {
  const { data } = event;
  if (data === null || !/^-?\d{1,19}$/.test(data) || BigInt.asIntN(64, BigInt(data)) !== BigInt(data)) {
    throw badEvent(event, "carries no position of a sequence");
  }
  return data;
}

function badEvent(event: PgqEvent, why: string): SkytoolsError {
  return new SkytoolsError("LONDISTE_EVENT", `bad event in queue: ${describeEvent(event)} ${why}`, {
    retry: "later",
  });
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
