/** Figures of one round of the work loop, logged as one INFO line `{key: value, key: value}` and then forgotten.
 *
 * The line is read by log aggregation and monitoring: keys stay in the order of their first use, and a value is a fraction
 * exactly when it has a `.`, so a quantity that is a fraction by nature must come through the `...Float` calls or be a
 * number that is not whole.
 * Source: spec/framework.md 3.7 */
export class Statistics {
  readonly #values = new Map<string, number | bigint | string>();
  readonly #fractions = new Set<string>();

  put(key: string, value: number | bigint | string): void {
    this.#values.set(key, value);
  }

  /** As `put`; the value is shown with a `.` even when it is whole. */
  putFloat(key: string, value: number): void {
    this.#fractions.add(key);
    this.#values.set(key, value);
  }

  /** @throws TypeError when the key holds text, or numbers of the other kind */
  increase(key: string, by: number | bigint = 1): void {
    const old = this.#values.get(key);
    if (old === undefined) this.#values.set(key, by);
    else if (typeof old === "number" && typeof by === "number") this.#values.set(key, old + by);
    else if (typeof old !== "string") this.#values.set(key, BigInt(old) + BigInt(by));
    else throw new TypeError(`statistic "${key}" is text and cannot be increased`);
  }

  /** As `increase`; the value is shown with a `.` even when it is whole. */
  increaseFloat(key: string, by: number): void {
    this.#fractions.add(key);
    this.increase(key, by);
  }

  get(key: string): number | bigint | string | undefined {
    return this.#values.get(key);
  }

  /** The line for the log and the figures as fields, or undefined when there is nothing; forgets them. */
  take(): { readonly line: string; readonly fields: Record<string, number | bigint | string> } | undefined {
    if (this.#values.size === 0) return undefined;
    const entries = [...this.#values];
    const line = entries.map(([key, value]) => `${key}: ${this.#shown(key, value)}`).join(", ");
    this.#values.clear();
    this.#fractions.clear();
    return { line: `{${line}}`, fields: Object.fromEntries(entries) };
  }

  #shown(key: string, value: number | bigint | string): string {
    if (typeof value !== "number") return String(value);
    if (Number.isInteger(value) && !this.#fractions.has(key)) return plainDigits(value);
    const digits = plainDigits(value);
    return digits.includes(".") || !Number.isFinite(value) ? digits : `${digits}.0`;
  }
}

/** Shortest decimal text without exponent. */
function plainDigits(value: number): string {
  const text = String(value);
  const parts = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (parts === null) return text;
  const [, sign, first, rest = "", power] = parts;
  const digits = `${first}${rest}`;
  const point = 1 + Number(power);
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  return `${sign}${digits}${"0".repeat(point - digits.length)}`;
}
