import { SkytoolsError } from "../errors.ts";

const controlCodes: ReadonlyMap<string, string> = new Map([
  ["a", "\x07"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ["v", "\v"],
]);

const byteEscape = /\\(?:([0-7]{1,3})|x([0-9a-fA-F]{1,2})|(.))/sy;
const unicodeEscape = /\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([uU]))/y;
const loneSurrogate = /\p{Cs}/u;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Decodes C-style escapes as COPY text knows them, and most of E'' strings: control letters, one to three octal digits, `\x` with
 * one or two hex digits; any other escaped character is itself. Octal and hex escapes name bytes, of which runs are read as
 * UTF-8.
 * @throws SkytoolsError ESCAPE when such bytes are not UTF-8: handing on a damaged value would write it to a target
 * Source: spec/framework.md 7.1; PostgreSQL manual, COPY "Text Format". */
export function unescapeC(text: string): string {
  return text.includes("\\") ? new Unescaping(text, false).result() : text;
}

/** As {@link unescapeC}, and `\uXXXX` and `\UXXXXXXXX`: what stands in an E'' string.
 * @throws SkytoolsError ESCAPE, also for a character that there is none
 * Source: PostgreSQL manual, "String Constants with C-Style Escapes" */
export function unescapeString(text: string): string {
  return text.includes("\\") ? new Unescaping(text, true).result() : text;
}

/** No regular expression goes over a run of escapes: a run of megabytes would exhaust its stack. */
class Unescaping {
  readonly #text: string;
  readonly #hasUnicode: boolean;
  #done = "";
  #bytes: number[] = [];

  constructor(text: string, hasUnicode: boolean) {
    this.#text = text;
    this.#hasUnicode = hasUnicode;
  }

  result(): string {
    const text = this.#text;
    let at = 0;
    for (let found = text.indexOf("\\"); found >= 0; found = text.indexOf("\\", at)) {
      if (found > at) this.#add(text.slice(at, found));
      at = found + this.#takeEscape(found);
    }
    this.#add(text.slice(at));
    if (this.#hasUnicode && loneSurrogate.test(this.#done)) throw bad("name half a character");
    return this.#done;
  }

  /** @returns its length */
  #takeEscape(at: number): number {
    if (this.#hasUnicode) {
      const length = this.#takeUnicode(at);
      if (length > 0) return length;
    }
    byteEscape.lastIndex = at;
    const found = byteEscape.exec(this.#text);
    if (found === null) {
      this.#add("\\");
      return 1;
    }
    const [all, octal, hex, char] = found;
    if (char !== undefined) this.#add(controlCodes.get(char) ?? char);
    else this.#bytes.push(hex === undefined ? Number.parseInt(octal!, 8) & 0xff : Number.parseInt(hex, 16));
    return all.length;
  }

  #takeUnicode(at: number): number {
    unicodeEscape.lastIndex = at;
    const found = unicodeEscape.exec(this.#text);
    if (found === null) return 0;
    const [all, short, long] = found;
    const code = Number.parseInt(short ?? long ?? "", 16);
    if (!(code > 0 && code <= 0x10ffff)) throw bad("name no character");
    this.#add(String.fromCodePoint(code));
    return all.length;
  }

  #add(text: string): void {
    if (this.#bytes.length > 0) {
      const bytes = Buffer.from(this.#bytes);
      this.#bytes = [];
      try {
        this.#done += utf8.decode(bytes);
      } catch {
        throw bad("are not valid UTF-8");
      }
    }
    this.#done += text;
  }
}

function bad(what: string): SkytoolsError {
  return new SkytoolsError("ESCAPE", `escapes in a text ${what}`);
}
