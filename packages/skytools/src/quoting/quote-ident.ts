import { UsageError } from "../errors.ts";
import { quotedKeywords } from "./keywords.ts";

/** An identifier as the server's quote_ident() writes it: bare where possible, else in double quotes.
 * Source: spec/framework.md 7.1. */
export function quoteIdent(name: string): string {
  if (/^[a-z_][a-z0-9_]*$/.test(name) && !quotedKeywords.has(name)) return name;
  return `"${name.replaceAll('"', '""')}"`;
}

/** Both parts of `schema.table` quoted; the first dot separates them, no dot means schema public.
 * Source: spec/framework.md 7.1. */
export function quoteFqIdent(name: string): string {
  const [schema, object] = splitFqName(name);
  return `${quoteIdent(schema)}.${quoteIdent(object)}`;
}

/** `schema.table` as plain names: the first dot separates them, no dot means schema public. search_path is never
 * consulted. Source: spec/framework.md 7.3. */
export function splitFqName(name: string): [schema: string, object: string] {
  const dot = name.indexOf(".");
  return dot < 0 ? ["public", name] : [name.slice(0, dot), name.slice(dot + 1)];
}

/** The name with its schema, unquoted: what Skytools stores and shows, `public.` added where there is none. */
export function fqName(name: string): string {
  return splitFqName(name).join(".");
}

/** The plain name of an identifier written as in SQL: unquoted letters are folded to lower case.
 * @throws UsageError for a quote in the wrong place */
export function unquoteIdent(text: string): string {
  if (/^"[^"]*(?:""[^"]*)*"$/.test(text)) return text.slice(1, -1).replaceAll('""', '"');
  if (text.includes('"')) throw new UsageError(`invalid quoting in identifier ${text}`);
  return foldName(text);
}

/** An unquoted name as the server folds it: in a UTF-8 database the letters of ASCII only.
 * Source: PostgreSQL manual, "Identifiers and Key Words" */
export function foldName(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** `"Schema"."Table"` as a plain `Schema.Table`; a dot inside quotes belongs to its part.
 * @throws UsageError for a quote in the wrong place */
export function unquoteFqIdent(text: string): string {
  const match = /^("[^"]*(?:""[^"]*)*"|[^".]*)\.(.*)$/s.exec(text);
  return match === null ? unquoteIdent(text) : `${unquoteIdent(match[1]!)}.${unquoteIdent(match[2]!)}`;
}
