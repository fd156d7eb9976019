import type { PgqEvent } from "@skytools/pgq";
import type { Database, Log } from "@skytools/skytools";
import { DatabaseError, SkytoolsError } from "@skytools/skytools";
import { type RunScriptInput, runScript } from "./run-script.ts";
import { parseScriptAttributes } from "./script-attributes.ts";

/** Replays an EXECUTE event: ev_data is the script, extra1 its name, extra2 its attributes. Within the target's transaction.
 * @throws SkytoolsError naming event, file and line; the batch comes again
 * Source: spec/londiste.md 9.2 and 11 */
export async function replayScript(
  target: Database,
  log: Log,
  queueName: string,
  event: PgqEvent,
  locks: Pick<RunScriptInput, "lockTimeoutSeconds" | "isWorthWaiting">,
): Promise<void> {
  try {
    await runScript({
      db: target,
      log,
      queueName,
      isRoot: false,
      ...locks,
      script: {
        name: event.extra1 ?? "",
        sql: event.data ?? "",
        attributes: parseScriptAttributes(event.extra2),
      },
    });
  } catch (error) {
    throw withEvent(event, error);
  }
}

/** In one line that begins as monitoring knows it. */
function withEvent(event: PgqEvent, error: unknown): unknown {
  if (!(error instanceof SkytoolsError)) return error;
  const sqlState = error instanceof DatabaseError ? error.sqlState : undefined;
  const what = sqlState === undefined ? "EXECUTE" : `EXECUTE, SQLSTATE ${sqlState}`;
  const text = `[ev_id=${event.id},ev_txid=${event.txid}] ${error.message} (${what})`;
  const retry = error.retry === "reconnect" ? "reconnect" : "later";
  return new SkytoolsError("EXECUTE", text, { cause: error, retry, hint: error.hint });
}
