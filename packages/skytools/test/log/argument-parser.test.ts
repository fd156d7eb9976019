import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Argument, ArgumentError, parseArguments } from "#src/log/skylog/argument-parser.js";

for (const [text, expected] of [
  ["()", []],
  ["(sys.stderr,)", [{ name: "sys.stderr" }]],
  ["('~/log/x.log', 100*1024*1024, 3)", ["~/log/x.log", 104857600, 3]],
  [
    " ( ('localhost', 514), handlers.SysLogHandler.LOG_LOCAL0 ) ",
    [["localhost", 514], { name: "handlers.SysLogHandler.LOG_LOCAL0" }],
  ],
  [`("host=a " 'user=b', r'c\\d', u"e\\'f", 'g\\n')`, ["host=a user=b", "c\\d", "e'f", "g\n"]],
  ["[None, True, False, -1, 2.5e3, (1), (1,)]", [null, true, false, -1, 2500, 1, [1]]],
  ["('127.0.0.1', (60 * 2))", ["127.0.0.1", 120]],
] as const) {
  test(`arguments ${text}`, () => assert.deepEqual(parseArguments(text), expected));
}

for (const [text, message] of [
  ["", "ends too early"],
  ["'x'", "is not a list of arguments in parentheses"],
  ["('x'", 'lacks "," or ")"'],
  ["('x' 5)", 'lacks "," or ")"'],
  ["(open('/etc/passwd'))", 'lacks "," or ")"'],
  ["(1 + 2)", 'cannot be read from "+ 2)" on'],
  ["('a' * 3)", "multiplies something that is not a number"],
  ["(,)", 'has "," where a value was expected'],
  ["() ()", 'has "(" after its end'],
  ["('unfinished)", `cannot be read from "'unfinished)" on`],
] as const) {
  test(`arguments ${JSON.stringify(text)} are refused`, () =>
    assert.throws(
      () => parseArguments(text),
      (error) => error instanceof ArgumentError && error.message === message,
    ));
}

test("what Python writes for strings and numbers is read back", () => {
  const item = fc.oneof(fc.integer(), fc.stringMatching(/^[ -~]*$/));
  fc.assert(
    fc.property(fc.array(fc.oneof(item, fc.array(item, { minLength: 2 }))), (values) => {
      assert.deepEqual(parseArguments(pythonTuple(values)), values);
    }),
  );
});

function pythonTuple(values: readonly Argument[]): string {
  const items = values.map((value) => {
    if (Array.isArray(value)) return pythonTuple(value);
    return typeof value === "string" ? `'${value.replace(/[\\']/g, "\\$&")}'` : `${Number(value)}`;
  });
  return `(${items.join(", ")}${items.length === 1 ? "," : ""})`;
}
