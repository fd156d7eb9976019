import { type ConsoleCommand, commandGrammar, leadWords } from "../command/command.ts";
import { CommandValues } from "../command/command-values.ts";
import type { Leaf } from "./grammar.ts";
import { expectations, keptWords, type Path, startPath, step } from "./matcher.ts";
import type { Token } from "./token.ts";

/** First words of console commands that begin SQL statements too. */
const wordsOfSql = new Set(["alter", "create", "delete", "drop", "show"]);

export type ParsedStatement =
  | { readonly kind: "command"; readonly command: ConsoleCommand; readonly values: CommandValues }
  | { readonly kind: "sql" }
  | SyntaxProblem;

/** A console command that stops making sense at a word, or at its end. */
export interface SyntaxProblem {
  readonly kind: "problem";
  /** undefined: the end */
  readonly token: Token | undefined;
  /** what could have stood there; undefined: the end */
  readonly expected: readonly (Leaf | undefined)[];
}

/** The ways to read the beginning of a statement. */
export type Reading =
  | { readonly kind: "open"; readonly paths: readonly Path<ConsoleCommand>[] }
  | Exclude<ParsedStatement, { readonly kind: "command" }>;

/** Reads words one after the other, without ever going back: the first words decide whether it is a console command; if so, it
 * has to be a correct one. @param tokens without the semicolon
 * Source: spec/qadmin.md 3 and 4 */
export function readStatement(commands: readonly ConsoleCommand[], tokens: readonly Token[]): Reading {
  let paths = commands.map((command) => startPath(command, commandGrammar(command)));
  for (const [at, token] of tokens.entries()) {
    const next = step(paths, token);
    if (next.length === 0) return isSql(paths, tokens, at) ? { kind: "sql" } : problem(paths, token);
    paths = next;
  }
  return { kind: "open", paths };
}

/** A whole statement. @param tokens without the semicolon, at least one */
export function parseStatement(
  commands: readonly ConsoleCommand[],
  tokens: readonly Token[],
): ParsedStatement {
  const reading = readStatement(commands, tokens);
  if (reading.kind !== "open") return reading;
  const complete = expectations(reading.paths).find(({ leaf }) => leaf === undefined);
  if (complete !== undefined) {
    const { path } = complete;
    return { kind: "command", command: path.of, values: new CommandValues(keptWords(path)) };
  }
  return isSql(reading.paths, tokens, tokens.length) ? { kind: "sql" } : problem(reading.paths, undefined);
}

/** Nothing but words that SQL has too came before the word that no command takes. */
function isSql(paths: readonly Path<ConsoleCommand>[], tokens: readonly Token[], at: number): boolean {
  if (at === 0) return true;
  const isClaimed = paths.some(({ of }) => at >= leadWords(of).length);
  return !isClaimed && wordsOfSql.has(tokens[0]!.value);
}

function problem(paths: readonly Path<ConsoleCommand>[], token: Token | undefined): SyntaxProblem {
  return { kind: "problem", token, expected: expectations(paths).map(({ leaf }) => leaf) };
}
