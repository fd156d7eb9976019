import { type Config, quoteLiteral, whyNotBetweenParentheses } from "@skytools/skytools";

/** The condition that the server selects events by, from `consumer_filter`, else from `table_filter`: raw SQL.
 * @throws ConfigError when it would end the statement that it is put into
 * @returns undefined when all events are wanted
 * Source: spec/pgq-library.md A2 */
export function configuredFilter(config: Config): string | undefined {
  const condition = config.getOr("consumer_filter", "").trim();
  if (condition !== "") {
    const flaw = whyNotBetweenParentheses(condition);
    if (flaw !== undefined)
      throw config.error("consumer_filter", `${flaw}: it is one SQL condition over an event`);
    return condition;
  }
  const tables = config.getList("table_filter").filter((name) => name !== "");
  return tables.length === 0 ? undefined : tableFilter(tables);
}

/** @param tables names as `ev_extra1` has them; those without a dot are of schema public */
export function tableFilter(tables: readonly string[]): string {
  const names = tables.map((name) => quoteLiteral(name.includes(".") ? name : `public.${name}`));
  return `ev_extra1 in (${names.join(", ")})`;
}
