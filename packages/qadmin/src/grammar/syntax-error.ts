import { nearestName, type ScannedStatement, SkytoolsError } from "@skytools/skytools";
import type { SyntaxProblem } from "./parse-statement.ts";
import { leafText } from "./syntax-text.ts";
import { consoleTokens } from "./token.ts";

/** Says what is wrong with a statement, with a mark below the place.
 * @param place where the statement stands: `queues.qa:12`
 * Source: spec/qadmin.md 3 (diagnostics): 1 is for what is no word at all, 2 for a word in the wrong place */
export function syntaxError(
  { token, expected }: SyntaxProblem,
  statement: ScannedStatement,
  place: string | undefined,
): SkytoolsError {
  const end = consoleTokens(statement).findLast(({ text }) => text !== ";");
  const at = token?.at ?? (end === undefined ? 0 : end.at + end.text.length);
  const isNoWord = statement.tokens.some((each) => each.kind === "error" && each.at === at);
  const found =
    token === undefined ? "the command ends too early" : `unexpected ${JSON.stringify(token.text)}`;
  const where = place === undefined ? "" : `${place}: `;
  return new SkytoolsError(
    "SYNTAX",
    `${where}syntax error ${isNoWord ? 1 : 2}: ${found}, expected ${alternatives(expected)}\n${marked(statement.text, at)}`,
    { hint: token === undefined ? undefined : guess(token.value, expected) },
  );
}

function alternatives(expected: SyntaxProblem["expected"]): string {
  const texts = [...new Set(expected.map((leaf) => (leaf === undefined ? ";" : leafText(leaf))))];
  const last = texts.pop();
  return texts.length === 0 ? String(last) : `${texts.join(", ")} or ${last}`;
}

function guess(typed: string, expected: SyntaxProblem["expected"]): string | undefined {
  const known = expected.flatMap((leaf) => (leaf?.kind === "word" ? [leaf.word] : []));
  const nearest = nearestName(typed, known);
  return nearest === undefined ? undefined : `Perhaps ${nearest} is meant.`;
}

/** The line of the text that holds the place, and a caret below it. */
export function marked(text: string, at: number): string {
  const begin = text.lastIndexOf("\n", at - 1) + 1;
  const end = text.indexOf("\n", at);
  const line = text.slice(begin, end < 0 ? undefined : end);
  const before = Array.from(line.slice(0, at - begin), (char) => (char === "\t" ? "\t" : " ")).join("");
  return `  ${line}\n  ${before}^`;
}
