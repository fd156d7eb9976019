import assert from "node:assert/strict";
import { test } from "node:test";
import { SkytoolsError, splitStatements } from "#src/index.js";

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
