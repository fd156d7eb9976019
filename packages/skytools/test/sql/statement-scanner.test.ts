import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type ScannedStatement, StatementScanner, splitStatements } from "#src/index.js";

for (const [pieces, opens] of [
  [
    ["select\n", "1;\n"],
    ["statement", undefined],
  ],
  [
    ["select 'a\n", "b'';\n", "c';"],
    ["string", "string", undefined],
  ],
  [
    ["select e'a\\'\n", "b';"],
    ["string", undefined],
  ],
  [
    ['select "a;\n', 'b";'],
    ["name", undefined],
  ],
  [
    ["do $x$ a;\n", "$x;\n", "$x$;"],
    ["dollar string", "dollar string", undefined],
  ],
  [
    ["/* a;\n", "*/ select 1;"],
    ["comment", undefined],
  ],
  [
    ["f(1;\n", "2);"],
    ["parenthesis", undefined],
  ],
  [
    ["-- a comment; only\n", "x;"],
    [undefined, undefined],
  ],
] as const) {
  test(`a statement comes in lines: ${JSON.stringify(pieces)}`, () => {
    const scanner = new StatementScanner();
    const complete = pieces.map((piece, at) => {
      const statements = scanner.add(piece);
      assert.equal(scanner.open, opens[at]);
      return statements;
    });
    assert.deepEqual(
      complete.flat().map(({ text }) => text),
      splitStatements(pieces.join("")),
    );
  });
}

const withoutBlanks = (statement: ScannedStatement): ScannedStatement => ({
  ...statement,
  tokens: statement.tokens.filter(({ kind }) => kind !== "space"),
});

test("pieces give the same statements as the whole, with the lines where they begin", () => {
  const piece = fc.constantFrom(
    "a",
    " ",
    "\n",
    "'",
    '"',
    "$$",
    "$a$",
    "--",
    "/*",
    "*/",
    "(",
    ")",
    ";",
    "e'",
    "\\'",
    '""',
  );
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const text = pieces.join("");
      const whole = new StatementScanner();
      const expected = [...whole.add(text), whole.rest];
      const inLines = new StatementScanner();
      const lines = text.split(/(?<=\n)/);
      const found = [...lines.flatMap((line) => inLines.add(line)), inLines.rest];
      assert.deepEqual(found.map(withoutBlanks), expected.map(withoutBlanks));
      for (const { text: statement, line } of expected) {
        const begin = text
          .split("\n")
          .slice(line - 1)
          .join("\n");
        assert.ok(begin.includes(statement), `${statement} in line ${line}`);
      }
    }),
  );
});

test("literals of megabytes are read", () => {
  const statement = `select '${"x".repeat(10_000_000)}';`;
  assert.equal(new StatementScanner().add(statement).length, 1);
});
