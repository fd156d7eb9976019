import { quoteIdent } from "@skytools/skytools";
import type { HostileTable } from "./hostile-table.js";

const schema = 'Sché"ma x';
const longest = `Dots.and "quotes", 'x' \\ + & = % ключ ${"z".repeat(63)}`;

/** As the server would cut it, so that it is used to the full. */
function cut(name: string): string {
  let text = name;
  while (Buffer.byteLength(text) > 63) text = text.slice(0, -1);
  return text;
}

function table(schemaName: string, name: string, columns: readonly [string, string]): HostileTable {
  const sql = `${quoteIdent(schemaName)}.${quoteIdent(name)}`;
  const [a, b] = columns.map((column) => quoteIdent(column));
  return {
    name: `${schemaName}.${name}`,
    create: `create schema if not exists ${quoteIdent(schemaName)};
      create table ${sql} ("select" int, ${a} text, ${b} text, "id always" int generated always as identity, primary key (${a}, "select"))`,
    statements: [
      ({ id, small }) =>
        `insert into ${sql} ("select", ${a}, ${b}) select g, E'k''\\\\"' || ${small}, 'z' from generate_series(${id}, ${id + 20}) g on conflict do nothing`,
      ({ id, other }) => `update ${sql} set ${b} = ${b} || ${other} where "select" < ${id}`,
      ({ id }) =>
        `update ${sql} set "select" = "select" + 200 where "select" = ${id} and not exists (select from ${sql} where "select" = ${id + 200})`,
      ({ id }) => `delete from ${sql} where "select" > ${id}`,
    ],
  };
}

/** Names that need quotes, hold separators of other notations, or are as long as names get. */
export const namedTables: readonly HostileTable[] = [
  table("public", 'Odd "Name" x', ["a,b", "ключ"]),
  table(schema, cut(longest), [cut(`c.o "l" ${"ü".repeat(40)}`), "a=b&c%20+"]),
  table(schema, "table", ["user", "$1"]),
];
