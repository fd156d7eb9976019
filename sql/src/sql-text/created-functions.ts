import { type SqlToken, sqlTokens } from "@skytools/skytools";
import { isWord, joinedText, wordOf } from "./token-text.ts";

/** One argument as it stands in CREATE FUNCTION. */
export interface FunctionArgument {
  readonly mode: "in" | "out" | "inout" | "variadic";
  /** undefined for one without a name */
  readonly name: string | undefined;
  /** as it is written, with one blank between words */
  readonly type: string;
  readonly hasDefault: boolean;
}

/** A function that an SQL text creates. */
export interface CreatedFunction {
  /** as it is written, with its schema if it has one */
  readonly name: string;
  readonly arguments: readonly FunctionArgument[];
  /** the words between the arguments and the end of the statement, without the body */
  readonly clauses: readonly SqlToken[];
  /** text between dollar quotes, as the server keeps it; undefined for a body in other quotes */
  readonly body: string | undefined;
}

/** The functions that an SQL text creates, in its order; what stands in bodies and comments does not count. */
export function createdFunctions(sql: string): CreatedFunction[] {
  const tokens = [...sqlTokens(sql, { joinsNames: true })].filter(({ kind }) => kind !== "space");
  const functions: CreatedFunction[] = [];
  for (const [at, token] of tokens.entries()) {
    const nameAt = wordOf(token) === "create" ? functionNameAt(tokens, at + 1) : undefined;
    const list = nameAt === undefined ? undefined : argumentList(tokens, nameAt + 1);
    if (nameAt === undefined || list === undefined) continue;
    const statementEnd = tokens.findIndex(({ text }, place) => place >= list.end && text === ";");
    const rest = tokens.slice(list.end, statementEnd < 0 ? undefined : statementEnd);
    const body = rest.find(({ kind }) => kind === "dollar string")?.text;
    functions.push({
      name: tokens[nameAt]!.text,
      arguments: list.arguments.map(functionArgument),
      clauses: rest.filter(({ kind }) => kind !== "dollar string"),
      body: body?.replace(/^\$\w*\$|\$\w*\$$/g, ""),
    });
  }
  return functions;
}

function functionNameAt(tokens: readonly SqlToken[], begin: number): number | undefined {
  const isReplaced = isWord(tokens[begin], "or") && isWord(tokens[begin + 1], "replace");
  const at = isReplaced ? begin + 2 : begin;
  return isWord(tokens[at], "function") && tokens[at + 1]?.kind === "identifier" ? at + 1 : undefined;
}

interface ArgumentList {
  readonly arguments: readonly SqlToken[][];
  /** place of the token after the list */
  readonly end: number;
}

/** Undefined where no list in parentheses begins. */
function argumentList(tokens: readonly SqlToken[], begin: number): ArgumentList | undefined {
  if (tokens[begin]?.text !== "(") return undefined;
  const list: SqlToken[][] = [[]];
  let depth = 1;
  for (let at = begin + 1; at < tokens.length; at++) {
    const token = tokens[at]!;
    if (token.text === "(" || token.text === "[") depth++;
    if (token.text === ")" || token.text === "]") depth--;
    if (depth === 0) return { arguments: list.filter((argument) => argument.length > 0), end: at + 1 };
    if (token.text === "," && depth === 1) list.push([]);
    else list.at(-1)!.push(token);
  }
  return undefined;
}

/** Types of several words, of which the first is no argument name. */
const longType =
  /^(double precision|(national )?char(acter)?( ?varying)?|bit varying|time(stamp)?( ?\(.*\))? with(out)? time zone|interval (year|month|day|hour|minute|second))/i;

function functionArgument(tokens: readonly SqlToken[]): FunctionArgument {
  const first = wordOf(tokens[0]);
  const isMode = first === "in" || first === "out" || first === "inout" || first === "variadic";
  const mode = isMode && tokens.length > 1 ? first : "in";
  const rest = isMode && tokens.length > 1 ? tokens.slice(1) : tokens;
  const end = rest.findIndex((token) => isWord(token, "default") || ["=", ":="].includes(token.text));
  const words = end < 0 ? rest : rest.slice(0, end);
  const whole = joinedText(words);
  const isNamed = words[1]?.kind === "identifier" && !longType.test(whole);
  const name = isNamed ? words[0]!.text : undefined;
  return { mode, name, type: isNamed ? joinedText(words.slice(1)) : whole, hasDefault: end >= 0 };
}
