import { blake2s } from "@noble/hashes/blake2.js";
import { SkytoolsError } from "@skytools/skytools";
import { parseFlatJson, parseRawJson } from "../../apply/flat-json.ts";
import type { Row } from "../handler.ts";
import { hashedText } from "./hashed-text.ts";

const actionNames = ["keep", "skip", "bool", "hash", "hash32", "hash64"] as const;

export type ActionName = (typeof actionNames)[number];

/** What happens to a column: an action, or one for each member of a JSON object. */
export type ColumnAction = ActionName | ReadonlyMap<string, ColumnAction>;

export function isActionName(value: unknown): value is ActionName {
  return actionNames.some((name) => name === value);
}

/** The actions of a table, with the key of the hashes. Source: spec/londiste.md 12.8 */
export class Obfuscation {
  readonly columns: ReadonlyMap<string, ColumnAction>;
  readonly #key: Uint8Array | undefined;

  constructor(columns: ReadonlyMap<string, ColumnAction>, key: string) {
    this.columns = columns;
    this.#key = key === "" ? undefined : Buffer.from(key, "utf8");
    if ((this.#key?.length ?? 0) > 32)
      throw new SkytoolsError("OBFUSCATE", "obfuscator_key is longer than 32 bytes");
  }

  isKnown(column: string): boolean {
    return (this.columns.get(column) ?? "skip") !== "skip";
  }

  hash(text: string, bytes: 4 | 8 | 16): Buffer {
    return Buffer.from(
      blake2s(Buffer.from(text, "utf8"), {
        dkLen: bytes,
        ...(this.#key === undefined ? {} : { key: this.#key }),
      }),
    );
  }
}

/** A row with the text of its columns changed; columns to skip are left out. */
export function obfuscateRow(obfuscation: Obfuscation, row: Row): Map<string, string | null> {
  const changed = new Map<string, string | null>();
  for (const [column, value] of row) {
    const action = obfuscation.columns.get(column) ?? "skip";
    if (action === "skip") continue;
    changed.set(column, value === null ? null : textOf(obfuscation, action, value));
  }
  return changed;
}

function textOf(obfuscation: Obfuscation, action: ColumnAction, value: string): string {
  switch (action) {
    case "keep":
    case "skip":
      return value;
    case "bool":
      return value === "" ? "f" : "t";
    case "hash":
      return variant0Uuid(obfuscation.hash(hashedText(value), 16));
    case "hash32":
      return String(obfuscation.hash(hashedText(value), 4).readInt32BE());
    case "hash64":
      return String(obfuscation.hash(hashedText(value), 8).readBigInt64BE());
    default:
      return obfuscateObject(obfuscation, action, value);
  }
}

/** Lower half of the variants: no uuid that a generator makes looks like that. */
function variant0Uuid(bytes: Buffer): string {
  bytes[8] = bytes[8]! & 0x7f;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** A whole row as JSON, as pgq.jsontriga writes it. */
export function obfuscateJson(obfuscation: Obfuscation, json: string): string {
  return obfuscateObject(obfuscation, obfuscation.columns, json);
}

/** Members that are not named are dropped; what is no object has none. Kept numbers keep their digits. */
function obfuscateObject(
  obfuscation: Obfuscation,
  actions: ReadonlyMap<string, ColumnAction>,
  json: string,
): string {
  if (!json.trimStart().startsWith("{")) return "{}";
  const texts = parseFlatJson(json);
  const members: string[] = [];
  for (const [name, raw] of parseRawJson(json)) {
    const action = actions.get(name) ?? "skip";
    if (action === "skip") continue;
    const text = texts.get(name) ?? null;
    members.push(`${JSON.stringify(name)}:${jsonOf(obfuscation, action, raw, text)}`);
  }
  return `{${members.join(",")}}`;
}

function jsonOf(obfuscation: Obfuscation, action: ColumnAction, raw: string, text: string | null): string {
  if (text === null || action === "keep") return raw;
  const changed = textOf(obfuscation, action, text);
  if (action === "bool") return changed === "t" ? "true" : "false";
  if (action === "hash32") return changed;
  // A JSON column is a string in an event, an object within another.
  if (typeof action === "object" && !raw.startsWith('"')) return changed;
  return JSON.stringify(changed);
}
