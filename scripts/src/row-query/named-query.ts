import { SkytoolsError } from "@skytools/skytools";

/** SQL with parameters by name, `%(name)s`, compiled once to `$1 ..`; `%%` is a percent sign. Values never become part of
 * the text. Each place has a parameter of its own, so that the server may give them different types. */
export class NamedQuery {
  readonly sql: string;
  /** names in the order of their places */
  readonly names: readonly string[];
  /** the text before, between and after the places */
  readonly #texts: readonly string[];

  /** @throws SkytoolsError NAMED_QUERY for a percent sign that is neither a parameter nor doubled */
  constructor(text: string) {
    const names: string[] = [];
    const texts = [""];
    let end = 0;
    for (const { 0: piece, 1: name, 2: next, index } of text.matchAll(/%(?:\(([^()]+)\)s|(.?))/gs)) {
      texts.push(texts.pop()! + text.slice(end, index));
      end = index + piece.length;
      if (name !== undefined) {
        names.push(name);
        texts.push("");
      } else if (next === "%") {
        texts.push(`${texts.pop()!}%`);
      } else {
        throw new SkytoolsError("NAMED_QUERY", `"${piece}" in a query is no parameter`, {
          hint: "Write %(name)s for a parameter and %% for a percent sign; in a configuration file each % is doubled.",
        });
      }
    }
    texts.push(texts.pop()! + text.slice(end));
    this.names = names;
    this.#texts = texts;
    this.sql = this.filledWith((_name, place) => place);
  }

  /** The text with something in each place: `$1` is the first place itself. */
  filledWith(filling: (name: string, place: string) => string): string {
    return this.names.reduce(
      (sql, name, at) => sql + filling(name, `$${at + 1}`) + this.#texts[at + 1]!,
      this.#texts[0]!,
    );
  }

  /** The values in the order of the places.
   * @throws SkytoolsError NAMED_QUERY when a name has no value */
  bind(values: ReadonlyMap<string, unknown>): unknown[] {
    return this.names.map((name) => {
      const value = values.get(name);
      if (value !== undefined) return value;
      throw new SkytoolsError("NAMED_QUERY", `query parameter "${name}" has no value`, {
        retry: "later",
        hint: `There are: ${[...values.keys()].join(", ")}.`,
      });
    });
  }
}
