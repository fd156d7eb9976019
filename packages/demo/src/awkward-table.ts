import type { Random } from "./random.ts";

/** The table's name as the commands take it: schema and name, not quoted. */
export const awkwardTable = `public.Odd "Table's"`;
export const awkwardTableSql = `public."Odd ""Table's"""`;

type Choices = readonly [string | null, ...(string | null)[]];

interface AwkwardColumn {
  /** As SQL spells it. */
  readonly name: string;
  readonly type: string;
  readonly values: Choices;
}

const texts: Choices = [
  "",
  " ",
  null,
  "NULL",
  "null",
  "it's",
  'say "so"',
  "back\\slash",
  "\\N",
  "\\.",
  "tab\there",
  "line\nline",
  "return\r\n",
  "%41&b=+ ",
  '{"a": [1]}',
  "{a,b}",
  "äöü € 🐘",
  "\u0001\u007f",
];

/** Names and values that break whoever quotes, splits or parses too simply. */
const columns: readonly AwkwardColumn[] = [
  { name: `"Upper Case"`, type: "text", values: texts },
  { name: `"it's"`, type: "text", values: texts },
  { name: `"quo""ted"`, type: "varchar(60)", values: texts },
  { name: `"order"`, type: "char(8)", values: ["", "a", null, "  b"] },
  {
    name: "amount",
    type: "numeric",
    values: ["0", "-0.00000000000000000001", "123456789012345678901234567890.50", "1.10", "NaN", null],
  },
  {
    name: `"at"`,
    type: "timestamptz",
    values: [
      "2001-02-03 04:05:06.789012+00",
      "1999-12-31 23:59:59.999999+05:30",
      "0044-03-15 12:00:00+00 BC",
      "infinity",
      "-infinity",
      null,
    ],
  },
  {
    name: `"local time"`,
    type: "timestamp",
    values: ["2024-02-29 00:00:00.000001", "1900-01-01 00:00:00", null],
  },
  { name: "raw", type: "bytea", values: ["\\x", "\\x00", "\\x00ff5c27220a0d09", "\\xdeadbeef", null] },
  {
    name: "tags",
    type: "text[]",
    values: [
      "{}",
      "{a,b}",
      '{NULL,"NULL",""}',
      '{"a,b","c\\"d","e\\\\f"}',
      "{{1,2},{3,4}}",
      "[2:3]={x,y}",
      null,
    ],
  },
  {
    name: "doc",
    type: "jsonb",
    values: [
      "{}",
      "null",
      '"text"',
      "1e400",
      "[1.10, 12345678901234567890]",
      '{"a\\"b": {"c": [null, true]}}',
      null,
    ],
  },
  { name: `"json text"`, type: "json", values: ['{"b":1,  "a":2, "a":3}', "[ ]", null] },
  { name: "ratio", type: "float8", values: ["0.1", "-0", "1e-307", "NaN", "Infinity", "-Infinity", null] },
  { name: "flag", type: "boolean", values: ["true", "false", null] },
  {
    name: "big",
    type: "int8",
    values: ["9223372036854775807", "-9223372036854775808", "9007199254740993", null],
  },
  { name: "span", type: "interval", values: ["1 mon -1 days 00:00:00.000001", "-5 years", "0", null] },
  { name: `"user"`, type: "inet", values: ["10.0.0.1", "10.1.2.3/24", "::1", null] },
];

const keyColumn = `"select"`;
const keyText = `"Key ""Text"""`;
const keyTexts = texts.filter((text) => text !== null) as [string, ...string[]];

/** Source: manual, "CREATE TABLE". A key of a keyword and a quoted column, a key text that may be empty. */
export function createAwkwardTable(): string {
  const definitions = columns.map((column) => `  ${column.name} ${column.type}`);
  return `create table ${awkwardTableSql} (
  ${keyColumn} integer not null,
  ${keyText} text not null,
${definitions.join(",\n")},
  primary key (${keyColumn}, ${keyText})
)`;
}

/** One statement with its parameters, all as text. */
export interface AwkwardChange {
  readonly sql: string;
  readonly parameters: readonly (string | null)[];
}

const insertSql = ((): string => {
  const names = [keyColumn, keyText, ...columns.map((column) => column.name)];
  const places = names.map((_, index) => `$${index + 1}`);
  return `insert into ${awkwardTableSql} (${names.join(", ")}) values (${places.join(", ")}) on conflict do nothing`;
})();

/** A random insert, update of one column, update of the key, or delete, on keys up to the given number. */
export function randomAwkwardChange(random: Random, keys: number): AwkwardChange {
  const key = [String(random.integer(1, keys)), random.pick(keyTexts)];
  const where = `${keyColumn} = $1 and ${keyText} = $2`;
  const kind = random.next();
  if (kind < 0.5) {
    return { sql: insertSql, parameters: [...key, ...columns.map((column) => random.pick(column.values))] };
  }
  if (kind < 0.75) {
    const column = random.pick(columns as [AwkwardColumn, ...AwkwardColumn[]]);
    return {
      sql: `update ${awkwardTableSql} set ${column.name} = $3 where ${where}`,
      parameters: [...key, random.pick(column.values)],
    };
  }
  if (kind < 0.85) {
    // To a key that nobody else uses: the negative half.
    return {
      sql: `update ${awkwardTableSql} set ${keyColumn} = -${keyColumn} where ${where}
            and not exists (select 1 from ${awkwardTableSql} where ${keyColumn} = -$1::integer and ${keyText} = $2)`,
      parameters: key,
    };
  }
  return {
    sql: `delete from ${awkwardTableSql} where ${keyColumn} in ($1, -$1::integer) and ${keyText} = $2`,
    parameters: key,
  };
}
