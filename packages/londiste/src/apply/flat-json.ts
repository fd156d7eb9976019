import { SkytoolsError } from "@skytools/skytools";

/** Reads a JSON object as pgq.jsontriga writes it: column names to values, as text for the column's input function. Numbers keep
 * every digit (JSON.parse would round int8 and numeric), booleans are `true` and `false`, null is null, and anything nested is
 * its own JSON text.
 * @throws SkytoolsError EVENT_DATA
 * Source: spec/sql-pgq.md 8.5, spec/londiste.md 17 items 2 and 3 */
export function parseFlatJson(text: string): Map<string, string | null> {
  const scanner = new Scanner(text);
  const row = new Map<string, string | null>();
  scanner.expect("{");
  if (scanner.take("}")) return scanner.ended(row);
  do {
    const name = scanner.string();
    scanner.expect(":");
    row.set(name, scanner.value());
  } while (scanner.take(","));
  scanner.expect("}");
  return scanner.ended(row);
}

/** As parseFlatJson(), but each value as the JSON text that stands there.
 * @throws SkytoolsError EVENT_DATA */
export function parseRawJson(text: string): Map<string, string> {
  const scanner = new Scanner(text);
  const row = new Map<string, string>();
  scanner.expect("{");
  if (scanner.take("}")) return scanner.ended(row);
  do {
    const name = scanner.string();
    scanner.expect(":");
    row.set(name, scanner.rawValue());
  } while (scanner.take(","));
  scanner.expect("}");
  return scanner.ended(row);
}

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  take(mark: string): boolean {
    this.#skipBlanks();
    if (this.#text[this.#at] !== mark) return false;
    this.#at += 1;
    return true;
  }

  expect(mark: string): void {
    if (!this.take(mark)) this.#fail();
  }

  ended<T>(result: T): T {
    this.#skipBlanks();
    if (this.#at !== this.#text.length) this.#fail();
    return result;
  }

  string(): string {
    this.#skipBlanks();
    const start = this.#at;
    this.#skipString();
    const raw = this.#text.slice(start, this.#at);
    if (raw.indexOf("\\") < 0) return raw.slice(1, -1);
    const text = String(this.#parsed(raw));
    // The server would refuse it, and no text can be made of half a character.
    if (raw.includes("\\u") && /\p{Cs}/u.test(text)) this.#fail();
    return text;
  }

  #parsed(json: string): unknown {
    try {
      return JSON.parse(json);
    } catch {
      return this.#fail();
    }
  }

  value(): string | null {
    this.#skipBlanks();
    const first = this.#text[this.#at];
    if (first === '"') return this.string();
    const start = this.#at;
    if (first === "{" || first === "[") {
      this.#skipNested();
      const nested = this.#text.slice(start, this.#at);
      this.#parsed(nested);
      return nested;
    }
    const word = /[^\s,}\]]+/y;
    word.lastIndex = start;
    const raw = word.exec(this.#text)?.[0] ?? "";
    if (!/^(?:null|true|false|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)$/.test(raw)) this.#fail();
    this.#at += raw.length;
    return raw === "null" ? null : raw;
  }

  rawValue(): string {
    this.#skipBlanks();
    const start = this.#at;
    this.value();
    return this.#text.slice(start, this.#at);
  }

  /** No regular expression: a value may be hundreds of megabytes long. */
  #skipString(): void {
    if (this.#text[this.#at] !== '"') this.#fail();
    for (let at = this.#at + 1; ; at += 1) {
      at = this.#text.indexOf('"', at);
      if (at < 0) this.#fail();
      let backslashes = 0;
      while (this.#text[at - 1 - backslashes] === "\\") backslashes += 1;
      if (backslashes % 2 === 0) {
        this.#at = at + 1;
        return;
      }
    }
  }

  #skipNested(): void {
    let depth = 0;
    do {
      const mark = this.#text[this.#at];
      if (mark === undefined) this.#fail();
      if (mark === '"') {
        this.#skipString();
        continue;
      }
      if (mark === "{" || mark === "[") depth += 1;
      if (mark === "}" || mark === "]") depth -= 1;
      this.#at += 1;
    } while (depth > 0);
  }

  #skipBlanks(): void {
    while (/\s/.test(this.#text[this.#at] ?? "")) this.#at += 1;
  }

  #fail(): never {
    throw new SkytoolsError(
      "EVENT_DATA",
      `event data is not a JSON object of columns (at character ${this.#at + 1})`,
    );
  }
}
