import { SkytoolsError } from "@skytools/skytools";

/** SQL with parameters by name, `%(name)s`, compiled once to `$1 ..`; `%%` is a percent sign. Values never become part of
 * the text. Each place has a parameter of its own, so that the server may give them different types. */
export class NamedQuery {
  readonly sql: string;
  /** names in the order of their places */
  readonly names: readonly string[];

  /** @throws SkytoolsError NAMED_QUERY for a percent sign that is neither a parameter nor doubled */
  constructor(text: string) {
    const names: string[] = [];
    this.sql = text.replaceAll(
      /%(?:\(([^()]+)\)s|(.?))/gs,
      (piece, name: string | undefined, next: string) => {
        if (name !== undefined) return `$${names.push(name)}`;
        if (next === "%") return "%";
        throw new SkytoolsError("NAMED_QUERY", `"${piece}" in a query is no parameter`, {
          hint: "Write %(name)s for a parameter and %% for a percent sign; in a configuration file each % is doubled.",
        });
      },
    );
    this.names = names;
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
