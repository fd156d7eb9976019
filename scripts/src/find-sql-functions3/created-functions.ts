import { type SqlToken, sqlTokens } from "@skytools/skytools";

export interface CreatedFunction {
  /** name as it stands in the file, and the types of the arguments that go in */
  readonly signature: string;
  readonly isSecurityDefiner: boolean;
}

/** The functions that an SQL text creates, in its order. */
export function createdFunctions(sql: string): CreatedFunction[] {
  const tokens = [...sqlTokens(sql, { joinsNames: true })].filter(({ kind }) => kind !== "space");
  const functions: CreatedFunction[] = [];
  for (const [at, token] of tokens.entries()) {
    if (word(token) !== "create") continue;
    const nameAt = functionNameAt(tokens, at + 1);
    const list = nameAt === undefined ? undefined : argumentList(tokens, nameAt + 1);
    if (nameAt === undefined || list === undefined) continue;
    const types = list.map(argumentType).filter((type) => type !== undefined);
    functions.push({
      signature: `${tokens[nameAt]!.text}(${types.join(", ")})`,
      isSecurityDefiner: isSecurityDefiner(tokens.slice(nameAt)),
    });
  }
  return functions;
}

function word(token: SqlToken | undefined): string | undefined {
  return token?.kind === "identifier" ? token.text.toLowerCase() : undefined;
}

function functionNameAt(tokens: readonly SqlToken[], begin: number): number | undefined {
  const isReplaced = word(tokens[begin]) === "or" && word(tokens[begin + 1]) === "replace";
  const at = isReplaced ? begin + 2 : begin;
  return word(tokens[at]) === "function" && tokens[at + 1]?.kind === "identifier" ? at + 1 : undefined;
}

/** The tokens of each argument; undefined where no list in parentheses begins. */
function argumentList(tokens: readonly SqlToken[], begin: number): SqlToken[][] | undefined {
  if (tokens[begin]?.text !== "(") return undefined;
  const list: SqlToken[][] = [[]];
  let depth = 1;
  for (const token of tokens.slice(begin + 1)) {
    if (token.text === "(" || token.text === "[") depth++;
    if (token.text === ")" || token.text === "]") depth--;
    if (depth === 0) return list.filter((argument) => argument.length > 0);
    if (token.text === "," && depth === 1) list.push([]);
    else list.at(-1)!.push(token);
  }
  return undefined;
}

/** Types of several words, of which the first is no argument name. */
const longType =
  /^(double precision|(national )?char(acter)?( ?varying)?|bit varying|time(stamp)?( ?\(.*\))? with(out)? time zone|interval (year|month|day|hour|minute|second))/i;

/** Type of an argument, without mode, name and default; undefined for one that only comes out. */
function argumentType(tokens: readonly SqlToken[]): string | undefined {
  const mode = word(tokens[0]);
  if (mode === "out" && tokens.length > 1) return undefined;
  const hasMode = ["in", "inout", "variadic"].includes(mode ?? "") && tokens.length > 1;
  const rest = hasMode ? tokens.slice(1) : tokens;
  const end = rest.findIndex((token) => word(token) === "default" || ["=", ":="].includes(token.text));
  const words = end < 0 ? rest : rest.slice(0, end);
  const whole = joined(words);
  const isNamed = words[1]?.kind === "identifier" && !longType.test(whole);
  return isNamed ? joined(words.slice(1)) : whole;
}

/** The text of tokens with a blank between words and none around punctuation. */
function joined(tokens: readonly SqlToken[]): string {
  return tokens.reduce((text, { kind, text: next }) => {
    const isGlued = text === "" || kind === "symbol" || /[([,%.]$/.test(text);
    return text + (isGlued ? next : ` ${next}`);
  }, "");
}

/** Looks at one statement from the function's name on. */
function isSecurityDefiner(tokens: readonly SqlToken[]): boolean {
  for (const [at, token] of tokens.entries()) {
    if (token.text === ";") return false;
    if (word(token) === "security" && word(tokens[at + 1]) === "definer") return true;
  }
  return false;
}
