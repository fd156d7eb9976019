import { type SqlToken, StatementScanner, sqlTokens } from "@skytools/skytools";
import type { ConsoleCommand } from "../command/command.ts";
import type { Leaf, NameList } from "../grammar/grammar.ts";
import { expectations, type Rest } from "../grammar/matcher.ts";
import { readStatement } from "../grammar/parse-statement.ts";
import { consoleTokens, type Token } from "../grammar/token.ts";
import type { TypedName } from "./live-names.ts";

export interface CompleterOptions {
  readonly commands: readonly ConsoleCommand[];
  readonly names: (list: NameList) => Promise<readonly TypedName[]>;
}

/** What may stand at the end of a text, and the end of it that is replaced by that. */
export type Completion = readonly [candidates: string[], replaced: string];

/** Words of SQL after which a table is meant. */
const beforeTables = new Set(["from", "join", "into", "update", "table"]);

/** Completes the language of the console from its grammar, and tables in SQL.
 * Source: spec/qadmin.md 7 */
export class Completer {
  readonly #options: CompleterOptions;

  constructor(options: CompleterOptions) {
    this.#options = options;
  }

  /** @param text everything typed since the last complete statement, up to the cursor */
  async complete(text: string): Promise<Completion> {
    const { tokens, word } = wordAtEnd(text);
    if (word === undefined) return [[], ""];
    const reading = readStatement(this.#options.commands, tokens);
    const candidates =
      reading.kind === "open"
        ? await this.#ofGrammar(expectations(reading.paths), tokens.length === 0, word)
        : reading.kind === "sql"
          ? await this.#ofSql(tokens, word)
          : [];
    return [[...new Set(candidates)], word];
  }

  async #ofGrammar(
    expected: readonly { readonly leaf: Leaf | undefined; readonly after: Rest | undefined }[],
    isAtStart: boolean,
    word: string,
  ): Promise<string[]> {
    const candidates = isAtStart ? keyword("select", undefined, word) : [];
    for (const { leaf, after } of expected) {
      if (leaf === undefined) candidates.push(...(word === "" ? [";"] : []));
      else if (leaf.kind === "symbol") candidates.push(...(word === "" ? [leaf.symbol] : []));
      else if (leaf.kind === "word") candidates.push(...keyword(leaf.word, after, word));
      else if (leaf.names !== undefined) candidates.push(...(await this.#names(leaf.names, word)));
    }
    return candidates;
  }

  async #ofSql(tokens: readonly Token[], word: string): Promise<string[]> {
    if (beforeTables.has(tokens.at(-1)?.value ?? "")) return await this.#names("table", word);
    return word === "" ? [";"] : [];
  }

  async #names(list: NameList, word: string): Promise<string[]> {
    const names = await this.#options.names(list);
    return names.flatMap((name) => matching(name, word) ?? []);
  }
}

/** A keyword as the user would have typed it, with what has to follow. */
function keyword(text: string, after: Rest | undefined, word: string): string[] {
  if (!text.startsWith(word.toLowerCase())) return [];
  const isShouted = /[A-Z]/.test(word) && word === word.toUpperCase();
  const shown = isShouted ? text.toUpperCase() : text;
  if (after?.next.kind !== "symbol" || after.next.symbol !== "=") return [`${shown} `];
  const value = after.below?.next;
  const isQuoted = value?.kind === "value" && value.accepts.length === 1 && value.accepts[0] === "string";
  return [`${shown}=${isQuoted ? "'" : ""}`];
}

/** The name as it is to be typed, when the word may be its beginning: with or without its quotes, in any case where it needs quotes,
 * and without the schema public. */
function matching({ typed, plain }: TypedName, word: string): string | undefined {
  if (typed.startsWith(word)) return typed;
  const quoted = typed.startsWith('"') ? typed : `"${typed}"`;
  if (word.startsWith('"')) return quoted.startsWith(word) && !typed.includes(".") ? quoted : undefined;
  const begins = (text: string) => text.toLowerCase().startsWith(word.toLowerCase());
  if (typed.startsWith('"') && begins(plain)) return typed;
  return plain.startsWith("public.") && begins(plain.slice("public.".length)) ? typed : undefined;
}

/** Takes the text apart into complete words and the one at its end, which is empty after a blank or a sign. Undefined inside a quoted
 * text or a comment. */
function wordAtEnd(text: string): { readonly tokens: readonly Token[]; readonly word: string | undefined } {
  const scanner = new StatementScanner({ joinsNames: true });
  scanner.add(text);
  const { text: begun } = scanner.rest;
  const all = [...sqlTokens(begun, { joinsNames: true })];
  const open = all.findIndex(({ kind }) => kind === "error");
  if (open >= 0) {
    const isName = all[open]!.text === '"';
    return isName ? split(all.slice(0, open), begun.slice(all[open]!.at)) : { tokens: [], word: undefined };
  }
  const last = all.at(-1);
  if (last?.kind === "symbol" && last.text === "." && all.at(-2)?.kind === "identifier") {
    return split(all.slice(0, -2), `${all.at(-2)!.text}.`);
  }
  const isWord = last?.kind === "identifier" || last?.kind === "number";
  return isWord ? split(all.slice(0, -1), last.text) : split(all, "");
}

function split(complete: readonly SqlToken[], word: string): { tokens: readonly Token[]; word: string } {
  return { tokens: consoleTokens({ tokens: complete }), word };
}
