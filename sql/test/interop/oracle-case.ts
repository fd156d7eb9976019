/** One table with triggers, and statements on it. */
export interface OracleCase {
  readonly name: string;
  readonly prepare: string;
  readonly triggers: string;
  readonly statements: readonly string[];
}

/** The three trigger functions on one table, with the same further arguments. */
export function three(
  table: string,
  args: readonly string[] = [],
  kind = "after insert or update or delete",
): string {
  return ["json", "logu", "sql"]
    .map(
      (flavour, at) =>
        `create trigger t_${at} ${kind} on ${table} for each row
           execute function pgq.${flavour}triga(${["q", ...args].map(literal).join(", ")});`,
    )
    .join("\n");
}

export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A table to start from. */
export const simple = "create table t (id serial primary key, txt text, val float)";

/** A table to start from. */
export const twoKeys = "create table t (a int, b text, c text, d numeric, primary key (c, b))";
