import { crashPoint, type Database, quoteLiteral, UsageError } from "@skytools/skytools";

/** What a value of `synchronous_standby_names` asks for. */
interface SynchronousNames {
  readonly names: readonly string[];
  /** standbys that a commit waits for */
  readonly needed: number;
}

/** @throws UsageError
 * Source: PostgreSQL manual, synchronous_standby_names */
export function parseSynchronousNames(text: string): SynchronousNames {
  const parts = /^\s*(?:(?:(FIRST|ANY)\s+)?(\d+)\s*\((.*)\)|(.*))\s*$/is.exec(text)!;
  const list = parts[3] ?? parts[4] ?? "";
  const names = list
    .split(/[\s,]+/)
    .filter((name) => name !== "")
    .map((name) => name.replace(/^"(.*)"$/, "$1"));
  const needed = parts[2] === undefined ? 1 : Number(parts[2]);
  if (names.some((name) => !/^[\w*.-]+$/.test(name)) || needed < 1) {
    throw new UsageError(`"${text}" is not a list of standbys such as a, b or FIRST 1 (a, b)`);
  }
  return { names, needed };
}

/** Makes commits wait for standbys, of which enough must be connected; no names: they wait for none.
 * @throws UsageError when too few are connected: commits would hang
 * Source: spec/walmgr.md 5.12 */
export async function setSynchronousNames(
  database: Database,
  text: string,
  isDryRun: boolean,
): Promise<string> {
  const { names, needed } = parseSynchronousNames(text);
  const rows = await database.query<{ application_name: string }>(
    "select application_name from pg_stat_replication",
  );
  const connected = new Set(rows.map((row) => row.application_name));
  const matching = names.includes("*") ? connected : new Set(names.filter((name) => connected.has(name)));
  if (names.length > 0 && matching.size < needed) {
    const seen = connected.size === 0 ? "none is connected" : `connected: ${[...connected].join(", ")}`;
    throw new UsageError(
      `${needed} of ${names.join(", ")} must be connected, or every commit would wait; ${seen}`,
    );
  }
  const value = names.length === 0 ? "" : /\(/.test(text) ? text.trim() : names.map(quoteName).join(", ");
  const statement = `alter system set synchronous_standby_names = ${quoteLiteral(value)}`;
  if (isDryRun) return statement;
  await database.execute(statement);
  crashPoint("synch-standby.stored");
  await database.query("select pg_reload_conf()");
  return statement;
}

function quoteName(name: string): string {
  return name === "*" ? name : `"${name}"`;
}
