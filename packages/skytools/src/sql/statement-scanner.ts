import { type SqlToken, type SqlTokensOptions, sqlTokens } from "./sql-tokens.ts";

/** One statement of a script. */
export interface ScannedStatement {
  /** from its first word to its semicolon; the last one of a script may lack that */
  readonly text: string;
  /** all of them, blanks and comments too; `at` counts from the beginning of the text */
  readonly tokens: readonly SqlToken[];
  /** where it begins, counted from 1 */
  readonly line: number;
}

/** What keeps a begun statement from its end. */
export type OpenEnd = "statement" | "parenthesis" | "string" | "name" | "dollar string" | "comment";

/** Cuts SQL text that comes piece by piece into statements. A semicolon within parentheses or in a body `begin atomic ... end`
 * belongs to its statement; what stands between statements, blanks and comments, is left out.
 * Source: spec/framework.md 7.2 (parse_statements) */
export class StatementScanner {
  readonly #options: SqlTokensOptions;
  #tokens: SqlToken[] = [];
  /** text whose tokens are not certain: a quote or comment in it has no end yet */
  #tail = "";
  #openQuote: OpenEnd | undefined;
  #nesting = new Nesting();
  #begunLine = 1;
  #line = 1;

  constructor(options: SqlTokensOptions = {}) {
    this.#options = options;
  }

  /** Takes more text; a piece ends between two lines or at the end of everything.
   * @returns the statements that it completes */
  add(text: string): ScannedStatement[] {
    const complete: ScannedStatement[] = [];
    const all = this.#tail + text;
    this.#tail = "";
    this.#openQuote = undefined;
    for (const token of sqlTokens(all, this.#options)) {
      this.#openQuote = openQuote(token, all);
      if (this.#openQuote !== undefined) {
        this.#keepTail(all.slice(token.at));
        break;
      }
      this.#take(token);
      if (!this.#nesting.isComplete) continue;
      complete.push(this.rest);
      this.#reset();
    }
    return complete;
  }

  /** what is begun and not complete; an empty text when there is nothing */
  get rest(): ScannedStatement {
    let at = 0;
    const tokens = this.#tokens.map((token) => {
      const moved = { ...token, at };
      at += token.text.length;
      return moved;
    });
    return { text: this.#text + this.#tail, tokens, line: this.#begunLine };
  }

  /** undefined when nothing is begun */
  get open(): OpenEnd | undefined {
    if (this.#openQuote !== undefined) return this.#openQuote;
    if (this.#tokens.length === 0) return undefined;
    return this.#nesting.isInParentheses ? "parenthesis" : "statement";
  }

  get #text(): string {
    return this.#tokens.map((token) => token.text).join("");
  }

  #take(token: SqlToken): void {
    const isBetween = token.kind === "space" && this.#tokens.length === 0;
    if (!isBetween) {
      if (this.#tokens.length === 0) this.#begunLine = this.#line;
      this.#tokens.push(token);
      this.#nesting.take(token);
    }
    this.#line += lineBreaks(token.text);
  }

  /** The beginning of a quoted token may have been taken for others, as in `'it''`: all since the last blank come again. */
  #keepTail(text: string): void {
    const blank = this.#tokens.findLastIndex((token) => token.kind === "space");
    const uncertain = this.#tokens.splice(blank + 1);
    this.#line -= lineBreaks(uncertain.map((token) => token.text).join(""));
    if (this.#tokens.length === 0) this.#begunLine = this.#line;
    this.#nesting = new Nesting();
    for (const token of this.#tokens) this.#nesting.take(token);
    this.#tail = uncertain.map((token) => token.text).join("") + text;
  }

  #reset(): void {
    this.#tokens = [];
    this.#nesting = new Nesting();
  }
}

/** Where in a statement the tokens so far lead. */
class Nesting {
  #parentheses = 0;
  #blocks = 0;
  #wordBefore = "";
  isComplete = false;

  get isInParentheses(): boolean {
    return this.#parentheses > 0;
  }

  take({ kind, text }: SqlToken): void {
    if (kind === "identifier") this.#takeWord(text.toLowerCase());
    if (text === "(") this.#parentheses++;
    if (text === ")" && this.#parentheses > 0) this.#parentheses--;
    if (text === ";" && this.#parentheses === 0 && this.#blocks === 0) this.isComplete = true;
  }

  #takeWord(word: string): void {
    if (this.#wordBefore === "begin" && word === "atomic") this.#blocks++;
    else if (this.#blocks > 0 && word === "case") this.#blocks++;
    else if (this.#blocks > 0 && word === "end") this.#blocks--;
    this.#wordBefore = word;
  }
}

/** What the token opens without end in this text. */
function openQuote({ kind, text, at }: SqlToken, all: string): OpenEnd | undefined {
  if (kind !== "error") return undefined;
  if (text.startsWith("/*")) return "comment";
  if (/^e?'$/i.test(text)) return "string";
  if (text === '"') return all.includes('"', at + 1) ? undefined : "name";
  return text.startsWith("$") && text.length > 1 ? "dollar string" : undefined;
}

function lineBreaks(text: string): number {
  return text.split("\n").length - 1;
}
