import { UsageError } from "../errors.ts";

/** Values by parameter name; undefined counts as missing, null is a value. */
export type QueryValues = Readonly<Record<string, unknown>>;

const parameterPattern = /\{\{|\}\}|\{([a-z_]\w*)(?::([^{}|]+))?(?:\|([^{}]*))?\}/gi;

/** A statement put together from fragments with parameters: `{name}`, `{name:type}`, `{name|alternative}`,
 * `{name:type|alternative}`. Values are bound as `$n`, with a cast to the type when one is named; `{{` and `}}` are braces.
 * The alternative is SQL that stands in for a missing value.
 * Source: spec/framework.md 7.5 */
export class QueryBuilder {
  readonly #values: QueryValues;
  readonly #fragments: string[] = [];
  readonly #bound: unknown[] = [];

  /** @param fragment all its parameters without alternative must have values
   * @throws UsageError when one has none */
  constructor(fragment: string, values: QueryValues) {
    this.#values = values;
    const missing = missingParameter(fragment, values);
    if (missing !== undefined) throw new UsageError(`query parameter "${missing}" has no value`);
    this.#append(fragment, values);
  }

  /** Adds a fragment, or nothing when one of its parameters has neither value nor alternative.
   * @param more values for this fragment beside those of the builder */
  add(fragment: string, more: QueryValues = {}): this {
    const values = { ...this.#values, ...more };
    if (missingParameter(fragment, values) === undefined) this.#append(fragment, values);
    return this;
  }

  get sql(): string {
    return this.#fragments.join(" ");
  }

  /** what `$1` and so on stand for */
  get parameters(): readonly unknown[] {
    return this.#bound;
  }

  #append(fragment: string, values: QueryValues): void {
    const text = fragment.replace(
      parameterPattern,
      (whole, name?: string, type?: string, alternative?: string) => {
        if (name === undefined) return whole.charAt(0);
        if (values[name] === undefined) return alternative!;
        this.#bound.push(values[name]);
        return type === undefined ? `$${this.#bound.length}` : `$${this.#bound.length}::${type.trim()}`;
      },
    );
    this.#fragments.push(text);
  }
}

function missingParameter(fragment: string, values: QueryValues): string | undefined {
  for (const [, name, , alternative] of fragment.matchAll(parameterPattern)) {
    if (name !== undefined && alternative === undefined && values[name] === undefined) return name;
  }
  return undefined;
}
