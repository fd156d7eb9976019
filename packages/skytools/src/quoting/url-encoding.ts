/** What stands for each byte: `A-Z a-z 0-9 _ . -` themselves, space as `+`, the rest as lower-case hex. */
const encodedByte: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  const char = String.fromCharCode(byte);
  if (/[A-Za-z0-9_.-]/.test(char)) return char;
  return char === " " ? "+" : `%${byte.toString(16).padStart(2, "0")}`;
});

/** One name or value of the url-encoded row format, bit for bit as the server's triggers write it. */
export function urlEncode(text: string): string {
  if (/^[A-Za-z0-9_.-]*$/.test(text)) return text;
  let encoded = "";
  for (const byte of Buffer.from(text, "utf8")) encoded += encodedByte[byte];
  return encoded;
}

/** A row as `key=value&key=value`; null is the key alone. The order is kept.
 * Source: spec/framework.md 7.1 (db_urlencode). */
export function urlEncodeRow(
  row: Readonly<Record<string, string | null>> | ReadonlyMap<string, string | null>,
): string {
  const pairs = row instanceof Map ? [...row] : Object.entries(row);
  return pairs
    .map(([key, value]) => (value === null ? urlEncode(key) : `${urlEncode(key)}=${urlEncode(value)}`))
    .join("&");
}

/** Reads {@link urlEncodeRow} text: no `=` is null, `k=` is empty, the last of equal keys wins, empty pieces are
 * skipped, either case of hex digits is accepted.
 * @throws Error when decoded bytes are not UTF-8: handing on a damaged value would write it to a target
 * Source: spec/framework.md 7.1 (db_urldecode). */
export function urlDecodeRow(text: string): Map<string, string | null> {
  const row = new Map<string, string | null>();
  for (const piece of text.split("&")) {
    if (piece === "") continue;
    const equals = piece.indexOf("=");
    if (equals < 0) row.set(urlDecode(piece), null);
    else row.set(urlDecode(piece.slice(0, equals)), urlDecode(piece.slice(equals + 1)));
  }
  return row;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const percent = 0x25;
const noDigit = 16;
const hexDigits = Uint8Array.from({ length: 256 }, (_unused, byte) => {
  const digit = Number.parseInt(String.fromCharCode(byte), 16);
  return Number.isNaN(digit) ? noDigit : digit;
});

/** One name or value of the url-encoded row format; a `%` without two hex digits stands for itself. Goes over
 * bytes: a regular expression takes several times as long.
 * @throws Error when the bytes are not UTF-8 */
export function urlDecode(text: string): string {
  const spaced = text.includes("+") ? text.replaceAll("+", " ") : text;
  if (!spaced.includes("%")) return spaced;
  const bytes = Buffer.from(spaced, "utf8");
  let end = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const high = bytes[at] === percent ? (hexDigits[bytes[at + 1] ?? 0] ?? noDigit) : noDigit;
    const low = high === noDigit ? noDigit : (hexDigits[bytes[at + 2] ?? 0] ?? noDigit);
    if (low === noDigit) bytes[end] = bytes[at]!;
    else {
      bytes[end] = high * 16 + low;
      at += 2;
    }
    end += 1;
  }
  try {
    return utf8.decode(bytes.subarray(0, end));
  } catch {
    throw new Error("url-encoded value is not valid UTF-8");
  }
}
