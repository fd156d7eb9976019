import { SkytoolsError } from "../errors.ts";
import { unquoteIdent } from "../quoting/quote-ident.ts";
import { unquoteLiteral } from "../quoting/quote-literal.ts";
import { type SqlToken, sqlTokens } from "./sql-tokens.ts";

/** A row as it stands in an event of pgq.sqltriga. */
export interface PartialSqlRow {
  /** columns of the condition; empty for an insert */
  readonly key: ReadonlyMap<string, string | null>;
  /** columns that get a value; empty for a delete */
  readonly data: ReadonlyMap<string, string | null>;
}

/** Reads the data of an event of pgq.sqltriga: `(a, b) values (1, 'x')` of an insert, `b = 'y' where a = 1` of an update,
 * `a = 1 and ...` of a delete. Numbers stay text; backslashes escape in `E'..'` only, as the server reads it. Expressions are not
 * understood.
 * @throws SkytoolsError SQL_TEXT; the message holds no value
 * Source: spec/framework.md 7.2 (parse_sqltriga_sql) */
export function parsePartialSql(operation: "I" | "U" | "D", text: string): PartialSqlRow {
  return new PartialSqlReader(text).row(operation);
}

class PartialSqlReader {
  readonly #tokens: readonly SqlToken[];
  #at = 0;

  constructor(text: string) {
    const tokens = [...sqlTokens(text)].filter((token) => token.kind !== "space");
    this.#tokens = tokens.flatMap(withoutSign);
  }

  row(operation: "I" | "U" | "D"): PartialSqlRow {
    const row = this.#rowOf(operation);
    if (this.#at < this.#tokens.length) throw this.#unexpected();
    return row;
  }

  #rowOf(operation: "I" | "U" | "D"): PartialSqlRow {
    switch (operation) {
      case "I":
        return { key: new Map(), data: this.#inserted() };
      case "U":
        return { data: this.#pairs(","), key: this.#condition() };
      case "D":
        return { key: this.#pairs("and"), data: new Map() };
    }
  }

  #inserted(): Map<string, string | null> {
    const names = this.#list(() => this.#name());
    this.#expect("values");
    const values = this.#list(() => this.#value());
    if (names.length !== values.length) {
      throw bad(`has ${names.length} columns, but ${values.length} values`);
    }
    const row = new Map(names.map((name, index) => [name, values[index]!]));
    if (row.size < names.length) throw bad("names a column twice");
    return row;
  }

  #condition(): Map<string, string | null> {
    this.#expect("where");
    return this.#pairs("and");
  }

  #list<T>(item: () => T): T[] {
    this.#expect("(");
    const items: T[] = [];
    if (this.#take(")")) return items;
    do items.push(item());
    while (this.#take(","));
    this.#expect(")");
    return items;
  }

  #pairs(separator: string): Map<string, string | null> {
    const pairs = new Map<string, string | null>();
    do {
      const name = this.#name();
      if (pairs.has(name)) throw bad("names a column twice");
      pairs.set(name, this.#comparedValue());
    } while (this.#take(separator));
    return pairs;
  }

  #comparedValue(): string | null {
    if (this.#take("is")) {
      this.#expect("null");
      return null;
    }
    this.#expect("=");
    return this.#value();
  }

  #name(): string {
    const token = this.#tokens[this.#at];
    if (token?.kind !== "identifier") throw this.#unexpected();
    this.#at++;
    return unquoteIdent(token.text);
  }

  #value(): string | null {
    const sign = ["-", "+"].find((each) => this.#take(each)) ?? "";
    const token = this.#tokens[this.#at];
    if (token?.kind === "string" && !/^e?'/i.test(token.text)) throw unreadString(token);
    const isPlain = token?.kind === "number" || (token?.kind === "string" && sign === "");
    const isWord = sign === "" && token?.kind === "identifier" && /^(null|true|false)$/i.test(token.text);
    if (token === undefined || !(isPlain || isWord)) throw this.#unexpected();
    this.#at++;
    const value = unquoteLiteral(token.text, true);
    return value === null ? null : sign === "-" ? `-${value}` : value;
  }

  #take(word: string): boolean {
    const token = this.#tokens[this.#at];
    if (token === undefined || token.kind === "string" || token.text.toLowerCase() !== word) return false;
    this.#at++;
    return true;
  }

  #expect(word: string): void {
    if (!this.#take(word)) throw this.#unexpected(word);
  }

  #unexpected(wanted?: string): SkytoolsError {
    const token = this.#tokens[this.#at];
    const where = token === undefined ? "at its end" : `at character ${token.at + 1}`;
    return bad(wanted === undefined ? `is not understood ${where}` : `lacks "${wanted}" ${where}`);
  }
}

/** `=-1` without a blank is a comparison and a sign: no operator of the server ends in a sign like that.
 * Source: PostgreSQL manual, "Lexical Structure", Operators */
function withoutSign(token: SqlToken): SqlToken[] {
  if (token.text !== "=-" && token.text !== "=+") return [token];
  return [
    { ...token, text: "=" },
    { ...token, text: token.text.slice(1), at: token.at + 1 },
  ];
}

function unreadString({ text, at }: SqlToken): SkytoolsError {
  const prefix = text.slice(0, text.indexOf("'"));
  return bad(`has a string of the form ${prefix}'..' at character ${at + 1}: only '..' and E'..' are read`);
}

function bad(what: string): SkytoolsError {
  return new SkytoolsError("SQL_TEXT", `the partial SQL ${what}`);
}
