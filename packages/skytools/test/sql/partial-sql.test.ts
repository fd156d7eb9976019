import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parsePartialSql, quoteIdent, quoteLiteral } from "#src/index.js";

const partial = (operation: "I" | "U" | "D", text: string) => {
  const { key, data } = parsePartialSql(operation, text);
  return { key: Object.fromEntries(key), data: Object.fromEntries(data) };
};

test("partial SQL of inserts, updates and deletes", () => {
  assert.deepEqual(partial("I", `(id, "Odd ""x", c) values ('1', E'a\\\\b''c', null)`), {
    key: {},
    data: { id: "1", 'Odd "x': "a\\b'c", c: null },
  });
  assert.deepEqual(partial("U", "a = 'x, y = 3 where', b = -1.5, c = true where id = '7' and k = null"), {
    key: { id: "7", k: null },
    data: { a: "x, y = 3 where", b: "-1.5", c: "true" },
  });
  assert.deepEqual(partial("D", "id = 1 and sub is null"), { key: { id: "1", sub: null }, data: {} });
  assert.deepEqual(partial("U", "a=-1,b=+2 where id=-3"), { key: { id: "-3" }, data: { a: "-1", b: "2" } });
  assert.deepEqual(partial("D", "a='x\\y''' and b=e'x\\ty'"), { key: { a: "x\\y'", b: "x\ty" }, data: {} });
  assert.deepEqual(partial("I", "() values ()"), { key: {}, data: {} });
});

for (const [operation, text, message] of [
  ["I", "(a) values ('secret', 'b')", "the partial SQL has 1 columns, but 2 values"],
  ["I", "(a) value ('secret')", 'the partial SQL lacks "values" at character 5'],
  ["U", "a = 'secret'", 'the partial SQL lacks "where" at its end'],
  ["U", "a = now() where b = 1", "the partial SQL is not understood at character 5"],
  ["D", "a = 'secret';", "the partial SQL is not understood at character 13"],
  ["D", "a = $$secret$$", "the partial SQL is not understood at character 5"],
  [
    "D",
    "a = b'101'",
    "the partial SQL has a string of the form b'..' at character 5: only '..' and E'..' are read",
  ],
  [
    "I",
    "(a) values (X'1f')",
    "the partial SQL has a string of the form X'..' at character 13: only '..' and E'..' are read",
  ],
  [
    "U",
    "a=n'x' where b=1",
    "the partial SQL has a string of the form n'..' at character 3: only '..' and E'..' are read",
  ],
  [
    "D",
    "a = U&'x'",
    "the partial SQL has a string of the form U&'..' at character 5: only '..' and E'..' are read",
  ],
  ["D", "a = -'1'", "the partial SQL is not understood at character 6"],
  ["D", "a =- -1", "the partial SQL is not understood at character 6"],
  ["D", "", "the partial SQL is not understood at its end"],
] as const) {
  test(`partial SQL is refused without its values: ${operation} ${text}`, () =>
    assert.throws(() => parsePartialSql(operation, text), { code: "SQL_TEXT", message }));
}

const name = fc.string({ minLength: 1 });
const value = fc.option(fc.string({ unit: "binary" }), { nil: null });
const row = fc.dictionary(name, value, { minKeys: 1, noNullPrototype: true });

test("partial SQL as the triggers write it is read back, whatever names and values are", () => {
  const pairs = (fields: Record<string, string | null>) =>
    Object.entries(fields).map(([key, text]) => `${quoteIdent(key)} = ${quoteLiteral(text)}`);
  fc.assert(
    fc.property(row, row, (data, key) => {
      const names = Object.keys(data).map(quoteIdent).join(", ");
      const values = Object.values(data).map(quoteLiteral).join(", ");
      assert.deepEqual(partial("I", `(${names}) values (${values})`), { key: {}, data });
      assert.deepEqual(partial("U", `${pairs(data).join(", ")} where ${pairs(key).join(" and ")}`), {
        key,
        data,
      });
      assert.deepEqual(partial("D", pairs(key).join(" and ")), { key, data: {} });
    }),
  );
});
