import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  deleteRowSql,
  insertRowSql,
  parsePartialSql,
  QueryBuilder,
  quoteIdent,
  quoteLiteral,
  type ScannedStatement,
  SkytoolsError,
  type SqlTokensOptions,
  StatementScanner,
  splitStatements,
  sqlTokens,
  UsageError,
  updateRowSql,
} from "#src/index.js";

const kinds = (text: string, options?: SqlTokensOptions) =>
  [...sqlTokens(text, options)].map(({ kind, text }) => `${kind} ${text}`);

for (const [text, expected, options] of [
  ["select a.b", ["identifier select", "space  ", "identifier a", "symbol .", "identifier b"], {}],
  ['"A ""b"."c".d$1', ['identifier "A ""b"."c".d$1'], { joinsNames: true }],
  ["$1+$12::int", ["argument $1", "symbol +", "argument $12", "symbol :", "symbol :", "identifier int"], {}],
  ["$$a;b$$ $x$ $$ $x$", ["dollar string $$a;b$$", "space  ", "dollar string $x$ $$ $x$"], {}],
  ["-- c\n /* a /* b */ c */x", ["space -- c\n ", "space /* a /* b */ c */", "identifier x"], {}],
  ["a<=-1.5e3--x", ["identifier a", "symbol <=-", "number 1.5e3", "space --x"], {}],
  ["%(a.b)s {x:int}", ["placeholder %(a.b)s", "space  ", "placeholder {x:int}"], {}],
  [
    "'a''b\\' E'a\\'b' U&'x' b'1'",
    ["string 'a''b\\'", "space  ", "string E'a\\'b'", "space  ", "string U&'x'", "space  ", "string b'1'"],
    {},
  ],
  ["'a\\'b'", ["string 'a\\'b'"], { standardStrings: false }],
  ["'open", ["error '", "identifier open"], {}],
  ["$x$ open", ["error $x$ open"], {}],
] as const) {
  test(`tokens of ${text}`, () => assert.deepEqual(kinds(text, options), expected));
}

test("the tokens of any text are the text", () => {
  const piece = fc.constantFrom(
    "select ",
    "'a'",
    "E'\\''",
    "$$",
    "$a$",
    "--\n",
    "/*",
    "*/",
    '"',
    "'",
    "\\",
    ";",
    "1.",
    "$1",
    "{",
    "é",
    "\n",
  );
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const text = pieces.join("");
      assert.equal([...sqlTokens(text)].map((token) => token.text).join(""), text);
    }),
  );
});

for (const [what, script, expected] of [
  ["nothing", " -- only a comment\n", []],
  ["two statements", "select 1; -- one\n select ';' ;", ["select 1;", "select ';' ;"]],
  ["a last one without semicolon", "begin;\ncommit  ", ["begin;", "commit"]],
  [
    "parentheses",
    "create rule r as on insert to t do (select 1; select 2); x",
    ["create rule r as on insert to t do (select 1; select 2);", "x"],
  ],
  ["dollar quotes", "do $$ begin; end $$; select 1", ["do $$ begin; end $$;", "select 1"]],
  [
    "a body of SQL",
    "create function f() returns int begin atomic select 1; select case when true then 2 end; end; select 3",
    [
      "create function f() returns int begin atomic select 1; select case when true then 2 end; end;",
      "select 3",
    ],
  ],
  ["comments inside", "select /* ; */ 1;", ["select /* ; */ 1;"]],
] as const) {
  test(`a script with ${what} is split`, () => assert.deepEqual(splitStatements(script), expected));
}

for (const script of [
  "copy t from stdin;",
  "select (1;",
  "select 1);",
  "select 'open",
  "select $$ open",
  "/* open",
]) {
  test(`a script is refused: ${script}`, () =>
    assert.throws(
      () => splitStatements(script),
      (error) => error instanceof SkytoolsError && error.code === "SQL_TEXT",
    ));
}

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

test("statements for one row", () => {
  const values = new Map([
    ["id", "1"],
    ["Name", "it's"],
    ["x", null],
  ]);
  assert.equal(insertRowSql("T.a", values), `insert into "T".a (id, "Name", x) values ('1', 'it''s', null);`);
  assert.equal(
    updateRowSql("t", values, ["id"]),
    `update only public.t set "Name" = 'it''s', x = null where id = '1';`,
  );
  assert.equal(updateRowSql("t", values, ["id", "Name", "x"]), undefined);
  assert.equal(
    deleteRowSql("t", values, ["x", "id"]),
    "delete from only public.t where x = null and id = '1';",
  );
  assert.throws(() => updateRowSql("t", values, []), UsageError);
  assert.throws(() => deleteRowSql("t", values, ["other"]), UsageError);
});

test("queries from fragments: values are bound, fragments without values stay away", () => {
  const query = new QueryBuilder("select '{{}}' from {table_oid:regclass} where id = {id}", {
    table_oid: 5,
    id: "a",
    none: undefined,
    nul: null,
  })
    .add("and a = {id}")
    .add("and b = {none}")
    .add("and c = {none:int|default_c()}")
    .add("and d is not distinct from {nul:text}")
    .add("limit {limit:bigint}", { limit: 10n });
  assert.equal(
    query.sql,
    "select '{}' from $1::regclass where id = $2 and a = $3 and c = default_c() and d is not distinct from $4::text limit $5::bigint",
  );
  assert.deepEqual(query.parameters, [5, "a", "a", null, 10n]);
  assert.throws(() => new QueryBuilder("select {x}", {}), /query parameter "x" has no value/);
});
