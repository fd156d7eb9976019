import { unescapeC } from "./unescape.ts";

const copyEscapes: Readonly<Record<string, string>> = { "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r" };

/** One field of COPY text format; null is `\N`.
 * Source: spec/framework.md 7.1. */
export function quoteCopy(value: string | null): string {
  return value === null ? "\\N" : value.replace(/[\\\t\n\r]/g, (char) => copyEscapes[char]!);
}

/** A bytea field of COPY text format, in hex form. */
export function quoteByteaCopy(bytes: Uint8Array | null): string {
  return bytes === null ? "\\N" : `\\\\x${Buffer.from(bytes).toString("hex")}`;
}

/** The value of one field of COPY text format; `\N` is null. */
export function unescapeCopy(field: string): string | null {
  return field === "\\N" ? null : unescapeC(field);
}

/** One row of COPY text format with its line end. */
export function copyRow(values: readonly (string | null)[]): string {
  return `${values.map(quoteCopy).join("\t")}\n`;
}

/** The fields of one row of COPY text format, given without its line end. */
export function parseCopyRow(line: string): (string | null)[] {
  return line.split("\t").map(unescapeCopy);
}
