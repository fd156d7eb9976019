import assert from "node:assert/strict";
import { test } from "node:test";
import { parseFunctionNeed } from "#src/execute/function-need.js";
import { scriptStatements } from "#src/execute/run-script.js";
import {
  formatScriptAttributes,
  parseScriptAttributes,
  readScriptAttributes,
} from "#src/execute/script-attributes.js";
import { splitScript } from "#src/execute/split-script.js";

const texts = (sql: string) => splitScript(sql).map((statement) => statement.text);

test("a semicolon ends a statement only where the server would see its end", () => {
  const statements = [
    `select ';', E'\\';', "a;b", $$;$$, $tag$ ; $$ ; $tag$;`,
    "create rule r as on insert to t do (select 1; select 2);",
    `create function f() returns int language plpgsql as $f$ begin return 1; end; $f$;`,
    "create or replace function g(a int) returns int language sql begin atomic select case when a > 1 then 2 end; select 3; end;",
    "select 1 /* ; /* nested ; */ ; */ + 1;",
    "select $1$2;",
    "select 'без точки'",
  ];
  assert.deepEqual(texts(statements.join("\n-- a comment; with one\n")), statements);
});

test("comments before a statement are not part of it, and lines are counted through them", () => {
  const script = "-- first\n\n/* two\nlines */ select 1;\n\nselect\n 2;\n-- last\n";
  assert.deepEqual(splitScript(script), [
    { text: "select 1;", line: 4 },
    { text: "select\n 2;", line: 6 },
  ]);
});

test("what is not closed is an error with its line", () => {
  const cases: readonly [string, RegExp][] = [
    ["select 1;\nselect 'open", /^line 2: a quote is not closed/],
    ["select $a$ x $b$", /^line 1: a quote is not closed/],
    ["/* /* */ select 1", /^line 1: a comment is not closed/],
    ["\nselect (1;", /^line 2: a parenthesis is not closed/],
  ];
  for (const [sql, message] of cases) assert.throws(() => splitScript(sql), { message });
});

test("a script that would end the transaction of its batch is refused", () => {
  for (const sql of [
    "commit;",
    "BEGIN;",
    "rollback ;",
    "end",
    "start transaction;",
    "prepare transaction 'x'",
  ]) {
    assert.throws(() => scriptStatements(`select 1;\n${sql}`), /line 2: a script is part of one transaction/);
  }
  assert.throws(() => scriptStatements("\\d t"), /commands of psql/);
  assert.throws(() => scriptStatements("copy t from stdin;"), /COPY FROM STDIN/);
  assert.equal(scriptStatements("savepoint a; rollback to a; rollback work to savepoint a").length, 3);
});

test("attributes are read from the top of a script only", () => {
  const sql = [
    "-- comment",
    "",
    "--*-- Local-Table: t1, s.t2,",
    "--*--   t3",
    "--*-- no attribute here",
    "--*-- NEED-function: f(2), g",
    "alter table t1 add x int;",
    "--*-- Need-Table: late",
  ].join("\r\n");
  const attributes = readScriptAttributes(sql);
  assert.deepEqual(Object.fromEntries(attributes), {
    "local-table": ["t1", "s.t2", "t3"],
    "need-function": ["f(2)", "g"],
  });
  const stored = formatScriptAttributes(attributes);
  assert.equal(stored, "local-table=t1%2cs.t2%2ct3&need-function=f%282%29%2cg");
  assert.deepEqual(parseScriptAttributes(stored), attributes);
  assert.throws(() => readScriptAttributes("--*-- Nead-Table: t"), /Invalid key: Nead-Table/);
});

test("literals and names of megabytes are part of their statement", () => {
  const long = "x".repeat(10_000_000);
  for (const text of [`select '${long}';`, `select e'${long}\\'${long}';`, `select "${long}""a";`])
    assert.deepEqual(texts(`${text} select 1`), [text, "select 1"]);
  assert.throws(() => splitScript(`select '${long}`), { message: "line 1: a quote is not closed" });
});

test("a script of very many statements is cut soon", () => {
  const count = 100_000;
  const start = process.cpuUsage();
  const statements = splitScript("select 1;\n".repeat(count));
  assert.deepEqual(statements.at(-1), { text: "select 1;", line: count });
  assert.ok(process.cpuUsage(start).user < 5_000_000);
});

test("a comment ends where the line ends for the server, at a carriage return too", () => {
  assert.deepEqual(texts("-- comment\rselect 1; -- two\r\nselect 2;\r"), ["select 1;", "select 2;"]);
});

test("a needed function has a number of arguments, and not their types", () => {
  assert.deepEqual(parseFunctionNeed("f"), { name: "f", argumentCount: 0 });
  assert.deepEqual(parseFunctionNeed("s.f( 2 )"), { name: "s.f", argumentCount: 2 });
  for (const text of ["f(int)", "f(int, text)", "f(1", "f(1)x", "(1)", "", "f(99999)"])
    assert.throws(() => parseFunctionNeed(text), {
      code: "SCRIPT",
      message: /is not of the form name\(number/,
    });
});

test("commas within parentheses do not end a name, and very many names are read soon", () => {
  const stored = formatScriptAttributes(new Map([["need-function", ["f(2)", "g"]]]));
  assert.deepEqual([...parseScriptAttributes(stored)], [["need-function", ["f(2)", "g"]]]);
  const names = readScriptAttributes("--*-- Need-Function: f(1,2), g (a, (b, c)), h");
  assert.deepEqual(names.get("need-function"), ["f(1,2)", "g (a, (b, c))", "h"]);
  const start = process.cpuUsage();
  assert.equal(
    parseScriptAttributes(`local-table=${"a,".repeat(200_000)}`).get("local-table")?.length,
    200_000,
  );
  assert.ok(process.cpuUsage(start).user < 5_000_000);
});
