import type { SqlToken } from "@skytools/skytools";

/** A bare word in lower case; undefined for any other token. */
export function wordOf(token: SqlToken | undefined): string | undefined {
  return token?.kind === "identifier" ? token.text.toLowerCase() : undefined;
}

export function isWord(token: SqlToken | undefined, word: string): boolean {
  return wordOf(token) === word;
}

/** The text of tokens with a blank between words and none around punctuation. */
export function joinedText(tokens: readonly SqlToken[]): string {
  return tokens.reduce((text, { kind, text: next }) => {
    const isGlued = text === "" || kind === "symbol" || /[([,%.]$/.test(text);
    return text + (isGlued ? next : ` ${next}`);
  }, "");
}
