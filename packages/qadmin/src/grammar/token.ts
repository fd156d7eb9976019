import {
  foldName,
  type ScannedStatement,
  SkytoolsError,
  type SqlToken,
  unquoteLiteral,
} from "@skytools/skytools";

/** `other`: what no console command has, such as `$1`. */
export type TokenKind = "name" | "string" | "number" | "symbol" | "other";

/** One word of a statement as the grammar sees it. */
export interface Token {
  readonly kind: TokenKind;
  /** as typed */
  readonly text: string;
  /** without quotes; a name with none in it is in lower case */
  readonly value: string;
  /** where it begins in the statement */
  readonly at: number;
}

/** Source: spec/qadmin.md 3 */
export function consoleTokens({ tokens }: Pick<ScannedStatement, "tokens">): Token[] {
  return tokens.filter(({ kind }) => kind !== "space").map(consoleToken);
}

function consoleToken({ kind, text, at }: SqlToken): Token {
  switch (kind) {
    case "identifier":
      return /^u&"/i.test(text)
        ? { kind: "other", text, value: text, at }
        : { kind: "name", text, value: nameValue(text), at };
    case "string":
      return /^e?'/i.test(text) ? stringToken(text, at) : { kind: "other", text, value: text, at };
    case "dollar string":
      return stringToken(text, at);
    case "number":
    case "symbol":
      return { kind, text, value: text, at };
    case "argument":
    case "placeholder":
    case "space":
    case "error":
      return { kind: "other", text, value: text, at };
  }
}

/** Whose escapes name no text is none. */
function stringToken(text: string, at: number): Token {
  try {
    return { kind: "string", text, value: unquoteLiteral(text, true) ?? "", at };
  } catch (error) {
    if (!(error instanceof SkytoolsError)) throw error;
    return { kind: "other", text, value: text, at };
  }
}

/** A name with quotes in any part keeps its letters in all of them. */
function nameValue(text: string): string {
  if (!text.includes('"')) return foldName(text);
  return text.replace(/"([^"]*(?:""[^"]*)*)"/g, (_quoted, inner: string) => inner.replaceAll('""', '"'));
}
