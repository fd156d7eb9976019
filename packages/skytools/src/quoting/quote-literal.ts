/** SQL text for a value: null is the bare word, everything else a quoted string, `E''` when it has backslashes.
 * Numbers and bigints are quoted as their text, booleans as 't' and 'f'.
 * Source: spec/framework.md 7.1. */
export function quoteLiteral(value: string | number | bigint | boolean | null): string {
  if (value === null) return "null";
  const text = typeof value === "boolean" ? (value ? "t" : "f") : String(value);
  const quoted = text.replaceAll("'", "''");
  return text.includes("\\") ? `E'${quoted.replaceAll("\\", "\\\\")}'` : `'${quoted}'`;
}
