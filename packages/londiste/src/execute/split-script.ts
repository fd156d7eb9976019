import { SkytoolsError } from "@skytools/skytools";

/** One statement of a script. */
export interface ScriptStatement {
  /** without the comments before it, with its semicolon unless the script's last */
  readonly text: string;
  /** where it begins, counted from 1 */
  readonly line: number;
}

/** Cuts a script into statements at the semicolons that end them: not those in strings, quoted names, comments, parentheses,
 * dollar quotes and bodies of SQL functions (BEGIN ATOMIC ... END).
 * @throws SkytoolsError SCRIPT when a quote, comment or parenthesis is not closed
 * Source: PostgreSQL manual 4.1 "Lexical Structure"; spec/londiste.md 17 item 5 */
export function splitScript(sql: string): ScriptStatement[] {
  return new ScriptSplitter(sql).statements();
}

class ScriptSplitter {
  readonly #sql: string;
  #at = 0;
  /** first character of the statement at hand; -1 between statements */
  #start = -1;
  #parentheses = 0;
  /** lower case, the first few, to know a function's definition */
  #words: string[] = [];
  #blocks = 0;
  /** lines begun up to a place, counted once */
  #counted = { at: 0, line: 1 };

  constructor(sql: string) {
    this.#sql = sql;
  }

  statements(): ScriptStatement[] {
    const found: ScriptStatement[] = [];
    while (this.#at < this.#sql.length) {
      const before = this.#at;
      if (this.#skipBlank()) continue;
      if (this.#start < 0) this.#start = before;
      if (this.#takeToken()) found.push(this.#end());
    }
    if (this.#parentheses > 0) this.#fail("a parenthesis is not closed", this.#start);
    if (this.#start >= 0) found.push(this.#end());
    return found;
  }

  #end(): ScriptStatement {
    const text = this.#sql.slice(this.#start, this.#at).trimEnd();
    const statement = { text, line: this.#lineOf(this.#start) };
    this.#start = -1;
    this.#words = [];
    this.#blocks = 0;
    return statement;
  }

  /** White space and comments. */
  #skipBlank(): boolean {
    if (this.#match(/\s+/y) || this.#match(/--[^\n\r]*/y)) return true;
    if (!this.#sql.startsWith("/*", this.#at)) return false;
    const start = this.#at;
    let depth = 0;
    do {
      if (this.#match(/\/\*/y)) depth += 1;
      else if (this.#match(/\*\//y)) depth -= 1;
      else if (!this.#match(/[^/*]+|[/*]/y)) this.#fail("a comment is not closed", start);
    } while (depth > 0);
    return true;
  }

  /** @returns true when it was the end of a statement */
  #takeToken(): boolean {
    const start = this.#at;
    const opening = this.#match(/e?'|"/iy);
    if (opening !== undefined) {
      if (!this.#skipQuoted(opening.at(-1)!, opening.length > 1)) this.#fail("a quote is not closed", start);
      return false;
    }
    const dollar = this.#match(/\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$/uy);
    if (dollar !== undefined) {
      const end = this.#sql.indexOf(dollar, this.#at);
      if (end < 0) this.#fail("a quote is not closed", start);
      this.#at = end + dollar.length;
      return false;
    }
    const word = this.#match(/[\p{L}_][\p{L}\p{N}_$]*/uy);
    if (word !== undefined) this.#takeWord(word.toLowerCase());
    else if (!this.#match(/[\d.]+[\p{L}\p{N}_]*/uy)) return this.#takeMark(this.#sql[this.#at++]!);
    return false;
  }

  /** Up to the end of a quoted text, in which doubled quotes are part of it. No regular expression: it may be megabytes long.
   * @returns false when it has no end */
  #skipQuoted(quote: string, hasBackslashes: boolean): boolean {
    const special = hasBackslashes ? /['\\]/g : quote === "'" ? /'/g : /"/g;
    for (;;) {
      special.lastIndex = this.#at;
      const found = special.exec(this.#sql);
      if (found === null) return false;
      const isDoubled = found[0] === "\\" || this.#sql[found.index + 1] === quote;
      this.#at = found.index + (isDoubled ? 2 : 1);
      if (!isDoubled) return true;
    }
  }

  #takeMark(mark: string): boolean {
    if (mark === "(") this.#parentheses += 1;
    if (mark === ")" && this.#parentheses > 0) this.#parentheses -= 1;
    return mark === ";" && this.#parentheses === 0 && this.#blocks === 0;
  }

  #takeWord(word: string): void {
    if (this.#words.length < 4) this.#words.push(word);
    if (!this.#isRoutine || this.#parentheses > 0) return;
    if (word === "begin" || (word === "case" && this.#blocks > 0)) this.#blocks += 1;
    if (word === "end" && this.#blocks > 0) this.#blocks -= 1;
  }

  get #isRoutine(): boolean {
    return /^create (?:or replace )?(?:function|procedure)\b/.test(this.#words.join(" "));
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#sql)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #lineOf(at: number): number {
    if (at < this.#counted.at) this.#counted = { at: 0, line: 1 };
    let { line } = this.#counted;
    for (let end = this.#sql.indexOf("\n", this.#counted.at); end >= 0 && end < at; line += 1)
      end = this.#sql.indexOf("\n", end + 1);
    this.#counted = { at, line };
    return line;
  }

  #fail(reason: string, at: number): never {
    throw new SkytoolsError("SCRIPT", `line ${this.#lineOf(Math.max(0, at))}: ${reason}`);
  }
}
