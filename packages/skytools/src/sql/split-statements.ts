import { SkytoolsError } from "../errors.ts";
import type { SqlTokensOptions } from "./sql-tokens.ts";
import { type ScannedStatement, StatementScanner } from "./statement-scanner.ts";

/** The statements of a script, each with its semicolon; the last one may lack it. What stands between statements, blanks and
 * comments, is left out. A body in `begin atomic ... end` belongs to its statement.
 * @throws SkytoolsError SQL_TEXT for COPY ... FROM STDIN, unbalanced parentheses, and text that cannot be read
 * Source: spec/framework.md 7.2 (parse_statements) */
export function splitStatements(
  script: string,
  options: Pick<SqlTokensOptions, "standardStrings"> = {},
): string[] {
  const scanner = new StatementScanner(options);
  const statements = scanner.add(script);
  const { open, rest } = scanner;
  if (open !== undefined && open !== "statement" && open !== "parenthesis") {
    throw bad(`has a ${open} without its end`);
  }
  if (open === "parenthesis") throw bad('has a "(" without its ")"');
  if (open === "statement") statements.push({ ...rest, text: rest.text.trimEnd() });
  for (const statement of statements) check(statement);
  return statements.map(({ text }) => text);
}

function check({ tokens }: ScannedStatement): void {
  const words: string[] = [];
  let parentheses = 0;
  for (const { kind, text } of tokens) {
    if (kind === "error") throw bad(`cannot be read from "${text.slice(0, 20)}" on`);
    if (text === "(") parentheses++;
    if (text === ")" && --parentheses < 0) throw bad('has a ")" without its "("');
    if (kind === "identifier") words.push(text.toLowerCase());
    if (words[0] === "copy" && words.at(-2) === "from" && words.at(-1) === "stdin") {
      throw bad("has COPY ... FROM STDIN, whose data no script can hold");
    }
  }
}

function bad(what: string): SkytoolsError {
  return new SkytoolsError("SQL_TEXT", `the SQL text ${what}`);
}
