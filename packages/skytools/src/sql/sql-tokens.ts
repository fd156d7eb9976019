/** `symbol`: an operator or punctuation; `argument`: `$1`; `placeholder`: `%(name)s` or `{name}`; `space` includes comments;
 * `error`: a character that begins nothing, or a quote without its end. */
export type SqlTokenKind =
  | "identifier"
  | "dollar string"
  | "number"
  | "argument"
  | "placeholder"
  | "space"
  | "symbol"
  | "string"
  | "error";

export interface SqlToken {
  readonly kind: SqlTokenKind;
  readonly text: string;
  /** where it begins */
  readonly at: number;
}

export interface SqlTokensOptions {
  /** false: backslashes escape in plain quotes too; default true */
  readonly standardStrings?: boolean;
  /** `schema.name` is one identifier; default false */
  readonly joinsNames?: boolean;
}

// As the server sees it: whatever is not ASCII, a blank of another script too, belongs to a name.
const name = String.raw`(?:u&)?(?:"(?:[^"]+(?:""[^"]*)*|(?:""[^"]*)+)"|[a-z_\u{80}-\u{10ffff}][a-z0-9_$\u{80}-\u{10ffff}]*)`;
const space = /(?:[ \t\n\r\f\v]+|--[^\n\r]*)+/y;
// Runs of plain characters are loops of their own: an alternation in a loop exhausts the stack on a literal of megabytes.
const escapedString = /e'[^'\\]*(?:(?:\\.|'')[^'\\]*)*'/isuy;
const backslashString = /[bxn]?'[^'\\]*(?:(?:\\.|'')[^'\\]*)*'/isuy;
const standardString = /(?:[bxn]|u&)?'[^']*(?:''[^']*)*'/isuy;
/** Without it, one that does not end would be a name and a plain string. */
const escapedStringStart = /e'/iy;
const dollarTag = /\$(?:[a-z_\u{80}-\u{10ffff}][a-z0-9_\u{80}-\u{10ffff}]*)?\$/iuy;
const argument = /\$\d+/y;
/** Without a second opening one inside: a row of a million of them must not be looked through a million times. */
const placeholder = /%\([^()]+\)s|\{[^{}]+\}/y;
const number = /0(?:x[0-9a-f_]+|o[0-7_]+|b[01_]+)|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:e[+-]?\d+)?/iy;
const plainName = new RegExp(name, "iuy");
const joinedName = new RegExp(`${name}(?:\\.${name})*`, "iuy");
const punctuation = /[,()[\].:;]/y;
const operator = /(?:(?!--|\/\*)[-+*/<>=~!@#%^&|`?])+/y;

/** Takes SQL text apart; the texts of all tokens together are the text again.
 * Source: spec/framework.md 7.2 (sql_tokenizer); PostgreSQL manual, "Lexical Structure" */
export function* sqlTokens(
  text: string,
  { standardStrings = true, joinsNames = false }: SqlTokensOptions = {},
): Generator<SqlToken> {
  const string = standardStrings ? standardString : backslashString;
  const forms: readonly (readonly [SqlTokenKind, RegExp])[] = [
    ["space", space],
    ["string", escapedString],
    ["error", escapedStringStart],
    ["string", string],
    ["placeholder", placeholder],
    ["identifier", joinsNames ? joinedName : plainName],
    ["argument", argument],
    ["number", number],
    ["symbol", punctuation],
    ["symbol", operator],
  ];
  for (let at = 0; at < text.length; ) {
    const token = commentAt(text, at) ?? dollarStringAt(text, at) ?? tokenOf(text, at, forms);
    yield token;
    at += token.text.length;
  }
}

function tokenOf(text: string, at: number, forms: readonly (readonly [SqlTokenKind, RegExp])[]): SqlToken {
  for (const [kind, form] of forms) {
    form.lastIndex = at;
    const found = form.exec(text)?.[0];
    if (found !== undefined && found !== "") return { kind, text: found, at };
  }
  return { kind: "error", text: String.fromCodePoint(text.codePointAt(at)!), at };
}

/** A comment, nested ones included; one that does not end is an error up to the end of the text. */
function commentAt(text: string, begin: number): SqlToken | undefined {
  if (!text.startsWith("/*", begin)) return undefined;
  let depth = 0;
  for (let at = begin; at < text.length; at++) {
    const pair = text.slice(at, at + 2);
    if (pair !== "/*" && pair !== "*/") continue;
    depth += pair === "/*" ? 1 : -1;
    at++;
    if (depth === 0) return { kind: "space", text: text.slice(begin, at + 1), at: begin };
  }
  return { kind: "error", text: text.slice(begin), at: begin };
}

function dollarStringAt(text: string, at: number): SqlToken | undefined {
  dollarTag.lastIndex = at;
  const tag = dollarTag.exec(text)?.[0];
  if (tag === undefined) return undefined;
  const end = text.indexOf(tag, at + tag.length);
  if (end < 0) return { kind: "error", text: text.slice(at), at };
  return { kind: "dollar string", text: text.slice(at, end + tag.length), at };
}
