const controlCodes: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

/** Decodes C-style escapes as E'' strings and COPY text know them: control letters, one to three octal digits,
 * `\x` with one or two hex digits; any other escaped character is itself. Octal and hex escapes name bytes, of
 * which runs are read as UTF-8.
 * Source: spec/framework.md 7.1; PostgreSQL manual, COPY "Text Format". */
export function unescapeC(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replace(/(?:\\(?:[0-7]{1,3}|x[0-9a-f]{1,2}))+|\\(.)/gis, (run: string, char?: string) => {
    if (char !== undefined) return controlCodes[char] ?? char;
    const bytes = [...run.matchAll(/\\(?:x([0-9a-f]{1,2})|([0-7]{1,3}))/gi)].map(([, hex, octal]) =>
      hex === undefined ? Number.parseInt(octal!, 8) & 0xff : Number.parseInt(hex, 16),
    );
    return Buffer.from(bytes).toString("utf8");
  });
}
