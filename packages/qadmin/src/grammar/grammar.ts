import type { Token, TokenKind } from "./token.ts";

/** Names that the database knows and completion offers. */
export type NameList =
  | "queue"
  | "consumer"
  | "node"
  | "database"
  | "user"
  | "host"
  | "port"
  | "batch"
  | "table"
  | "sequence"
  | "new table"
  | "new sequence"
  | "set table"
  | "set sequence";

/** A fixed word of the language. */
export interface Word {
  readonly kind: "word";
  readonly word: string;
  /** the word itself is kept under this name */
  readonly key?: string;
}

export interface SymbolToken {
  readonly kind: "symbol";
  readonly symbol: string;
  readonly key?: string;
}

/** What the user chooses. */
export interface Value {
  readonly kind: "value";
  /** name under which it is kept */
  readonly key: string;
  /** what the help calls it */
  readonly label: string;
  readonly accepts: readonly TokenKind[];
  readonly names?: NameList;
}

export type Leaf = Word | SymbolToken | Value;

/** The syntax of a command. Parsing, help and completion all read it. */
export type Grammar =
  | Leaf
  | { readonly kind: "sequence"; readonly parts: readonly Grammar[] }
  | { readonly kind: "choice"; readonly parts: readonly Grammar[] }
  | { readonly kind: "optional"; readonly part: Grammar }
  /** one or more, with commas between them */
  | { readonly kind: "list"; readonly part: Grammar }
  /** none, one or more times */
  | { readonly kind: "repeat"; readonly part: Grammar };

export const word = (text: string, key?: string): Grammar => ({
  kind: "word",
  word: text,
  ...(key === undefined ? {} : { key }),
});
export const words = (text: string): Grammar => sequence(...text.split(" ").map((each) => word(each)));
export const symbol = (text: string, key?: string): Grammar => ({
  kind: "symbol",
  symbol: text,
  ...(key === undefined ? {} : { key }),
});
export const sequence = (...parts: readonly Grammar[]): Grammar => ({ kind: "sequence", parts });
export const choice = (...parts: readonly Grammar[]): Grammar => ({ kind: "choice", parts });
export const optional = (...parts: readonly Grammar[]): Grammar => ({
  kind: "optional",
  part: parts.length === 1 ? parts[0]! : sequence(...parts),
});
export const repeat = (part: Grammar): Grammar => ({ kind: "repeat", part });
export const list = (part: Grammar): Grammar => ({ kind: "list", part });
export const nothing: Grammar = sequence();

export const name = (key: string, label: string, names?: NameList): Grammar =>
  value(key, label, ["name"], names);
export const number = (key: string, label: string, names?: NameList): Grammar =>
  value(key, label, ["number"], names);
export const text = (key: string, label: string): Grammar => value(key, label, ["string"]);
export const nameOrText = (key: string, label: string, names?: NameList): Grammar =>
  value(key, label, ["name", "string"], names);
export const nameOrAll = (key: string, label: string, names?: NameList): Grammar =>
  choice(symbol("*", key), name(key, label, names));

export function value(key: string, label: string, accepts: readonly TokenKind[], names?: NameList): Grammar {
  return { kind: "value", key, label, accepts, ...(names === undefined ? {} : { names }) };
}

/** `WORD = value`, kept under the word's name. */
export const setting = (key: string, of: Grammar): Grammar => sequence(word(key), symbol("="), of);

export function accepts(leaf: Leaf, token: Token): boolean {
  switch (leaf.kind) {
    case "word":
      return token.kind === "name" && token.text.toLowerCase() === leaf.word;
    case "symbol":
      return token.kind === "symbol" && token.text === leaf.symbol;
    case "value":
      return leaf.accepts.includes(token.kind);
  }
}
