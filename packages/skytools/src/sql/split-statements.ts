import { SkytoolsError } from "../errors.ts";
import { type SqlToken, type SqlTokensOptions, sqlTokens } from "./sql-tokens.ts";

/** The statements of a script, each with its semicolon; the last one may lack it. What stands between statements, blanks and
 * comments, is left out. A body in `begin atomic ... end` belongs to its statement.
 * @throws SkytoolsError SQL_TEXT for COPY ... FROM STDIN, unbalanced parentheses, and text that cannot be read
 * Source: spec/framework.md 7.2 (parse_statements) */
export function splitStatements(
  script: string,
  options: Pick<SqlTokensOptions, "standardStrings"> = {},
): string[] {
  const statements: string[] = [];
  let current = new OpenStatement();
  for (const token of sqlTokens(script, options)) {
    if (token.kind === "error") throw bad(`cannot be read from "${token.text.slice(0, 20)}" on`);
    current.take(token);
    if (!current.isComplete) continue;
    statements.push(current.text);
    current = new OpenStatement();
  }
  current.checkEnd();
  return current.text.trim() === "" ? statements : [...statements, current.text.trimEnd()];
}

class OpenStatement {
  readonly #words: string[] = [];
  #text = "";
  #parentheses = 0;
  #blocks = 0;
  isComplete = false;

  get text(): string {
    return this.#text;
  }

  take({ kind, text }: SqlToken): void {
    if (kind === "space" && this.#text === "") return;
    this.#text += text;
    if (kind === "identifier") this.#takeWord(text.toLowerCase());
    if (text === "(") this.#parentheses++;
    if (text === ")" && --this.#parentheses < 0) throw bad('has a ")" without its "("');
    if (text !== ";" || this.#parentheses > 0 || this.#blocks > 0) return;
    this.isComplete = true;
  }

  checkEnd(): void {
    if (this.#parentheses > 0) throw bad('has a "(" without its ")"');
  }

  #takeWord(word: string): void {
    const before = this.#words.at(-1);
    this.#words.push(word);
    if (this.#words[0] === "copy" && before === "from" && word === "stdin") {
      throw bad("has COPY ... FROM STDIN, whose data no script can hold");
    }
    if (before === "begin" && word === "atomic") this.#blocks++;
    else if (this.#blocks > 0 && word === "case") this.#blocks++;
    else if (this.#blocks > 0 && word === "end") this.#blocks--;
  }
}

function bad(what: string): SkytoolsError {
  return new SkytoolsError("SQL_TEXT", `the SQL text ${what}`);
}
