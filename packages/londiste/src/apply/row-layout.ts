import { isUtf8 } from "node:buffer";
import { quoteCopy, SkytoolsError, urlDecodeRow } from "@skytools/skytools";
import { parseFlatJson } from "./flat-json.ts";

/* Event data on its way from COPY to COPY. Raw means: as COPY writes it, with its escapes. Raw text is held as latin1: a
 * character is a byte of the server's UTF-8. */

/** Value of NULL in COPY text. */
export const copyNull = "\\N";

/** The columns of a row event in their order. */
export interface RowLayout {
  readonly format: "json" | "url";
  /** names as in the catalog */
  readonly columns: readonly string[];
}

export function isSameLayout(a: RowLayout, b: RowLayout): boolean {
  const isSameLength = a.format === b.format && a.columns.length === b.columns.length;
  return isSameLength && a.columns.every((name, nr) => name === b.columns[nr]);
}

/** What stands before each value in the data of this layout, as raw bytes. */
export function layoutPrefixes({ format, columns }: RowLayout): readonly Uint8Array[] {
  return columns.map((name, nr) =>
    format === "json"
      ? Buffer.from(quoteCopy(`${nr === 0 ? "{" : ","}${JSON.stringify(name)}:`))
      : Buffer.from(`${nr === 0 ? "" : "&"}${urlEncodedName(name)}`),
  );
}

/** As pgq.logutriga encodes. Source: spec/sql-pgq.md 8.4 */
function urlEncodedName(name: string): string {
  return [...Buffer.from(name)]
    .map((byte) => {
      const letter = String.fromCharCode(byte);
      if (/[\w.-]/.test(letter)) return letter;
      return letter === " " ? "+" : `%${byte.toString(16).padStart(2, "0")}`;
    })
    .join("");
}

/** Decodes raw event data, whatever its layout.
 * @throws SkytoolsError EVENT_DATA */
export function decodeRow(format: "json" | "url", raw: string): ReadonlyMap<string, string | null> {
  const data = decodeRaw(raw) ?? "";
  if (format === "json" || data.startsWith("{")) return parseFlatJson(data);
  try {
    return urlDecodeRow(data);
  } catch (cause) {
    throw damagedText(cause);
  }
}

/** The text of a raw value.
 * @throws SkytoolsError EVENT_DATA when its bytes are not valid UTF-8: damaged text must not be written as if it were sound */
export function decodeRaw(raw: string): string | null {
  if (isRawText(raw)) return readableRaw(raw);
  throw damagedText();
}

function damagedText(cause?: unknown): SkytoolsError {
  return new SkytoolsError("EVENT_DATA", "text that is not valid UTF-8", { cause, hint: damagedTextHint });
}

/** What to do about text that is none. */
export const damagedTextHint =
  "Its database has no encoding. With the handler argument encoding=utf8 (see change-handler) such bytes become U+FFFD here.";

/** Whether the bytes of a raw value are UTF-8. */
export function isRawText(raw: string): boolean {
  return isAscii(raw) || isUtf8(Buffer.from(raw, "latin1"));
}

/** The same for messages, and for names that are compared with others: invalid UTF-8 becomes U+FFFD. */
export function readableRaw(raw: string): string | null {
  if (raw === copyNull) return null;
  const text =
    raw.indexOf("\\") < 0
      ? raw
      : raw.replace(/\\(.)/gs, (_match, letter: string) => escapes[letter] ?? letter);
  return isAscii(text) ? text : Buffer.from(text, "latin1").toString("utf8");
}

const escapes: Readonly<Record<string, string>> = { t: "\t", n: "\n", r: "\r", b: "\b", f: "\f", v: "\v" };

export function encodeRaw(value: string | null): string {
  if (value === null) return copyNull;
  const text = quoteCopy(value);
  return isAscii(text) ? text : Buffer.from(text, "utf8").toString("latin1");
}

function isAscii(text: string): boolean {
  return !/[\u0080-\uffff]/.test(text);
}
