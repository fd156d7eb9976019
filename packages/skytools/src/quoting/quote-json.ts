/** A JSON string, with `/` escaped too as Skytools writes it; null is the word null.
 * Source: spec/framework.md 7.1 (quote_json). */
export function quoteJson(value: string | null): string {
  return value === null ? "null" : JSON.stringify(value).replaceAll("/", "\\/");
}
