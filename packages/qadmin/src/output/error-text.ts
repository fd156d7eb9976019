import { DatabaseError, SkytoolsError } from "@skytools/skytools";
import { marked } from "../grammar/syntax-error.ts";

interface ServerError {
  readonly severity: string;
  readonly message: string;
  readonly position?: string;
}

/** What the user reads about a failure, with the place in his statement where the server names one.
 * @param sql the statement that was sent as it was typed
 * @param place where it stands: `queues.qa:12` */
export function errorText(error: unknown, sql: string | undefined, place: string | undefined): string {
  const where = place === undefined ? "" : `${place}: `;
  if (!(error instanceof SkytoolsError))
    return `${where}${error instanceof Error ? error.message : String(error)}\n`;
  const server = error instanceof DatabaseError ? serverError(error) : undefined;
  const message = server === undefined ? error.message : server.message;
  const lines = error.code === "SYNTAX" ? [message] : [`${where}${server?.severity ?? "ERROR"}: ${message}`];
  if (server?.position !== undefined && sql !== undefined)
    lines.push(markedCharacter(sql, Number(server.position)));
  if (error instanceof DatabaseError && error.detail !== undefined) lines.push(`DETAIL: ${error.detail}`);
  const hint = hintOf(error);
  if (hint !== undefined) lines.push(`HINT: ${hint}`);
  return `${lines.join("\n")}\n`;
}

/** What is missing can be had from here. */
function hintOf(error: SkytoolsError): string | undefined {
  const isSchemaMissing = error instanceof DatabaseError && error.sqlState === "3F000";
  return isSchemaMissing
    ? 'The commands "install pgq;" and "install londiste;" bring the schemas.'
    : error.hint;
}

/** The fields that the server sent; its own words are enough in a console, which shows where it is connected. */
function serverError({ cause }: DatabaseError): ServerError | undefined {
  if (!(cause instanceof Error) || !("severity" in cause) || typeof cause.severity !== "string")
    return undefined;
  const position =
    "position" in cause && typeof cause.position === "string" ? { position: cause.position } : {};
  return { severity: cause.severity, message: cause.message, ...position };
}

/** @param position counted in characters from 1 */
function markedCharacter(sql: string, position: number): string {
  const before = Array.from(sql)
    .slice(0, position - 1)
    .join("");
  return marked(sql, before.length);
}
