import { UsageError } from "../errors.ts";
import { unescapeString } from "./unescape.ts";

/** SQL text for a value: null is the bare word, everything else a quoted string, `E''` when it has backslashes.
 * Numbers are quoted as their text, booleans as 't' and 'f'.
 * Source: spec/framework.md 7.1. */
export function quoteLiteral(value: string | number | bigint | boolean | null): string {
  if (value === null) return "null";
  const text = typeof value === "boolean" ? (value ? "t" : "f") : String(value);
  const quoted = text.replaceAll("'", "''");
  return text.includes("\\") ? `E'${quoted.replaceAll("\\", "\\\\")}'` : `'${quoted}'`;
}

/** A bytea literal in hex form. */
export function quoteByteaLiteral(bytes: Uint8Array | null): string {
  return bytes === null ? "null" : `'\\x${Buffer.from(bytes).toString("hex")}'`;
}

/** The value of a SQL literal: `'..'`, `E'..'`, `$tag$..$tag$`, the word null; other text (numbers) unchanged.
 * @param standardStrings false: backslashes escape in plain quotes too
 * @throws UsageError for a dollar quote without its end, SkytoolsError ESCAPE for escapes that name no text
 * Source: spec/framework.md 7.1. */
export function unquoteLiteral(text: string, standardStrings: boolean): string | null {
  if (/^null$/i.test(text)) return null;
  const plain = /^'(.*)'$/s.exec(text);
  if (plain !== null) return unescapeQuotes(plain[1]!, !standardStrings);
  const escaped = /^E'(.*)'$/is.exec(text);
  if (escaped !== null) return unescapeQuotes(escaped[1]!, true);
  if (!text.startsWith("$")) return text;
  const dollar = /^(\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$)(.*)$/su.exec(text);
  if (dollar === null || dollar[2]!.length < dollar[1]!.length || !dollar[2]!.endsWith(dollar[1]!)) {
    throw new UsageError("invalid dollar-quoted string");
  }
  return dollar[2]!.slice(0, -dollar[1]!.length);
}

function unescapeQuotes(body: string, hasBackslashes: boolean): string {
  const single = body.replaceAll("''", "'");
  return hasBackslashes ? unescapeString(single) : single;
}

/** A statement with its `%s`, `%(name)s` or `$n` placeholders filled in, for log lines only.
 * Source: spec/framework.md 7.1. */
export function quoteStatement(
  sql: string,
  parameters: readonly unknown[] | Readonly<Record<string, unknown>>,
): string {
  const named = Array.isArray(parameters) ? undefined : (parameters as Readonly<Record<string, unknown>>);
  const listed: readonly unknown[] = Array.isArray(parameters) ? parameters : [];
  let next = 0;
  return sql.replace(/%%|%s|%\(([^)]+)\)s|\$(\d+)/g, (placeholder, name?: string, index?: string) => {
    if (placeholder === "%%") return "%";
    if (name !== undefined) return named !== undefined && name in named ? quoteAny(named[name]) : placeholder;
    const position = index === undefined ? next++ : Number(index) - 1;
    return position < listed.length ? quoteAny(listed[position]) : placeholder;
  });
}

function quoteAny(value: unknown): string {
  switch (typeof value) {
    case "string":
    case "number":
    case "bigint":
    case "boolean":
      return quoteLiteral(value);
    case "undefined":
    case "object":
    case "symbol":
    case "function":
      return value === null || value === undefined ? "null" : quoteLiteral(JSON.stringify(value) ?? null);
  }
}
