import { SkytoolsError, urlDecodeRow, urlEncodeRow } from "@skytools/skytools";

/** What a script says about the nodes that need it. */
export type ScriptAttributeKey =
  | "local-table"
  | "local-sequence"
  | "local-destination"
  | "need-table"
  | "need-sequence"
  | "need-view"
  | "need-function"
  | "need-schema";

const knownKeys: ReadonlySet<string> = new Set<ScriptAttributeKey>([
  "local-table",
  "local-sequence",
  "local-destination",
  "need-table",
  "need-sequence",
  "need-view",
  "need-function",
  "need-schema",
]);

/** Names by key, as written, in their order. */
export type ScriptAttributes = ReadonlyMap<ScriptAttributeKey, readonly string[]>;

/** Reads the attributes at the top of a script: lines `--*-- Key: name, name`, before the first line that is no comment. A comma
 * at the end goes on in the next such line.
 * @throws SkytoolsError SCRIPT
 * Source: spec/londiste.md 11.1 */
export function readScriptAttributes(sql: string): ScriptAttributes {
  const attributes = new Map<ScriptAttributeKey, string[]>();
  let continued: ScriptAttributeKey | undefined;
  for (const line of sql.split(/\r?\n/)) {
    const text = line.trim();
    if (!text.startsWith("--*--")) {
      if (text === "" || text.startsWith("--")) continue;
      break;
    }
    let body = text.slice("--*--".length).trim();
    if (continued === undefined) {
      const colon = body.indexOf(":");
      if (colon < 0) continue;
      continued = attributeKey(body.slice(0, colon));
      body = body.slice(colon + 1);
    }
    const names = attributes.get(continued) ?? [];
    names.push(...namesIn(body));
    attributes.set(continued, names);
    if (!body.endsWith(",")) continued = undefined;
  }
  return attributes;
}

function attributeKey(text: string): ScriptAttributeKey {
  const key = text.trim().toLowerCase();
  if (knownKeys.has(key)) return key as ScriptAttributeKey;
  throw new SkytoolsError("SCRIPT", `Invalid key: ${text.trim()}`, {
    hint: `Known are ${[...knownKeys].join(", ")}.`,
  });
}

/** A comma within parentheses belongs to the name of a function. */
function namesIn(text: string): string[] {
  const names = [""];
  let depth = 0;
  for (const piece of text.split(/([(),])/)) {
    if (piece === "(") depth += 1;
    if (piece === ")" && depth > 0) depth -= 1;
    if (piece === "," && depth === 0) names.push("");
    else names.push(names.pop()! + piece);
  }
  return names.map((name) => name.trim()).filter((name) => name !== "");
}

/** For an event's extra2; null when there are none. */
export function formatScriptAttributes(attributes: ScriptAttributes): string | null {
  if (attributes.size === 0) return null;
  return urlEncodeRow(new Map([...attributes].map(([key, names]) => [key, names.join(",")])));
}

/** @throws SkytoolsError SCRIPT */
export function parseScriptAttributes(stored: string | null): ScriptAttributes {
  const entries = [...urlDecodeRow(stored ?? "")];
  return new Map(entries.map(([key, names]) => [attributeKey(key), namesIn(names ?? "")]));
}
