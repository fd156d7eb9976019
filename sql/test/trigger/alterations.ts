/** Alterations of a table (id int primary key, a text, n int), one after the other, each with the values of a row to insert behind
 * its id, and the JSON that follows the id then. */
export const alterations: readonly (readonly [string, string, string])[] = [
  ["alter table t add column more int default 7", "'x', 5", '"a":"x","n":5,"more":7'],
  ["alter table t alter n type text", "'x', 5", '"a":"x","n":"5","more":7'],
  ["alter table t alter n type int using n::int", "'x', 5", '"a":"x","n":5,"more":7'],
  ["alter table t rename n to num", "'x', 5", '"a":"x","num":5,"more":7'],
  ["alter table t drop column a", "5", '"num":5,"more":7'],
  [
    "alter table t rename num to swap; alter table t rename more to num; alter table t rename swap to more",
    "5",
    '"more":5,"num":7',
  ],
  ["alter table t drop column more, add column more text default 'd'", "5", '"num":5,"more":"d"'],
];
