import { type SqlToken, sqlTokens } from "./sql-tokens.ts";

/** Why SQL text cannot be put between parentheses as one piece, such as a condition into `where (TEXT)`: it would end them, or
 * the statement, or swallow what follows. What the server thinks of it otherwise is another question.
 * @returns what completes a sentence that begins with the text's name; undefined when there is nothing against it
 * Source: PostgreSQL manual, "Lexical Structure" */
export function whyNotBetweenParentheses(text: string): string | undefined {
  let depth = 0;
  let before: SqlToken | undefined;
  let isOpenComment = false;
  for (const token of sqlTokens(text)) {
    if (token.kind === "error") return `cannot be read from ${JSON.stringify(token.text.slice(0, 20))} on`;
    if (token.kind === "placeholder" || token.kind === "argument")
      return `has ${token.text}, which stands for nothing`;
    isOpenComment = token.kind === "space" && /^[^/].*--[^\n\r]*$|^--[^\n\r]*$/s.test(token.text);
    if (token.kind === "space") continue;
    if (token.text === ";") return 'has a ";"';
    if (token.text === "(") depth += 1;
    if (token.text === ")") depth -= 1;
    if (depth < 0) return 'has a ")" without its "("';
    if (isContinued(before, token)) return "has a string that goes on as one of another kind";
    before = token;
  }
  if (before === undefined) return "is empty";
  if (depth > 0) return 'has a "(" without its ")"';
  return isOpenComment ? "ends in a comment" : undefined;
}

/** The server goes on with a string after a line's end as it has begun it, by its prefix: backslashes escape, or not. */
function isContinued(before: SqlToken | undefined, { kind, text }: SqlToken): boolean {
  return (
    before?.kind === "string" && !before.text.startsWith("'") && kind === "string" && text.startsWith("'")
  );
}
