import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { createdFunctions } from "@skytools/sql";
import { runProgram, type TemporaryDirectory, temporaryDirectory } from "@skytools/testbed";
import { commentsBeforeFunctions } from "#src/catsql3/function-comments.js";
import { flattenScripts } from "#src/catsql3/psql-script.js";
import { listedFunction } from "#src/find-sql-functions3/listed-function.js";
import { readGrantFile } from "#src/grantfu3/grant-file.js";
import { grantLines, revokeLines } from "#src/grantfu3/grant-statements.js";

async function directoryWith(files: Readonly<Record<string, string>>): Promise<TemporaryDirectory> {
  const directory = await temporaryDirectory("sql-text");
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory.path, name)), { recursive: true });
    writeFileSync(join(directory.path, name), text);
  }
  return directory;
}

const grants = `
[GrantFu]
roles = reader, writer
groups = staff

[2.tables]
on.tables = t1, t2!,
    s."T3"!
reader = select
staff = select, insert

[1.functions]
on.functions = f(int4, text),
    g()
on.schemas = s
reader = all
writer =
`;

describe("grantfu3", () => {
  it("revokes first, then grants; sequences of tables follow those who may insert", async () => {
    await using directory = await directoryWith({ "grants.ini": grants });
    const { code, stdout, stderr } = await runProgram("grantfu3", ["-t", "-r", "-d", "grants.ini"], {
      cwd: directory.path,
    });
    assert.equal(stderr, "");
    assert.equal(code, 0);
    assert.equal(
      stdout,
      `begin;

-- 1.functions --
REVOKE ALL ON FUNCTION f(int4, text),
    g()
  FROM reader, writer, group staff CASCADE;
REVOKE ALL ON FUNCTION f(int4, text),
    g()
  FROM public CASCADE;
REVOKE ALL ON SCHEMA s
  FROM reader, writer, group staff CASCADE;

-- 2.tables --
REVOKE ALL ON TABLE t1, t2,
    s."T3"
  FROM reader, writer, group staff CASCADE;
REVOKE ALL ON SEQUENCE t2_id_seq, s."T3_id_seq"
  FROM reader, writer, group staff CASCADE;

-- 1.functions --
GRANT all ON FUNCTION f(int4, text),
    g()
  TO reader;
GRANT all ON SCHEMA s
  TO reader;

-- 2.tables --
GRANT select ON TABLE t1, t2,
    s."T3"
  TO reader;
GRANT select, insert ON TABLE t1, t2,
    s."T3"
  TO group staff;
GRANT select, update ON SEQUENCE t2_id_seq, s."T3_id_seq"
  TO group staff;

commit;
`,
    );
  });

  it("gives PUBLIC its built-in rights back, and leaves it alone where the section speaks of it", async () => {
    await using directory = await directoryWith({
      "grants.ini": `[GrantFu]\nusers = a\nauto_seq = 1\nseq_name = nr\nseq_usage = 1
[t]\non.tables = plain!, counted\na = all\n[f]\non.functions = f()\npublic = execute\n[d]\non.databases = db\n`,
    });
    const file = readGrantFile(join(directory.path, "grants.ini"));
    const old = { revokes: true, revokesDefaults: true, grantsDefaults: true, grants: false };
    assert.deepEqual(revokeLines(file, old), [
      "",
      "-- d --",
      "REVOKE ALL ON DATABASE db\n  FROM a CASCADE;",
      "REVOKE ALL ON DATABASE db\n  FROM public CASCADE;",
      "GRANT connect, temp ON DATABASE db\n  TO public;",
      "",
      "-- f --",
      "REVOKE ALL ON FUNCTION f()\n  FROM a CASCADE;",
      "GRANT execute ON FUNCTION f()\n  TO public;",
      "",
      "-- t --",
      "REVOKE ALL ON TABLE plain, counted\n  FROM a CASCADE;",
      "REVOKE ALL ON SEQUENCE counted_nr_seq\n  FROM a CASCADE;",
    ]);
    assert.deepEqual(grantLines(file).slice(-2), [
      "GRANT all ON TABLE plain, counted\n  TO a;",
      "GRANT usage ON SEQUENCE counted_nr_seq\n  TO a;",
    ]);
  });

  const mistakes = {
    "[x]\non.tables = t\n": /no section \[GrantFu\]/,
    "[GrantFu]\nusers = reader\n[x]\nreader = select\n": /x.*names no objects/,
    "[GrantFu]\nusers = reader\n[x]\non.tabels = t\n": /:4: \[x\] on\.tabels: there are no such objects/,
    "[GrantFu]\nusers = reader\n[x]\non.tables = t\nraeder = select\n":
      /:5: \[x\] raeder: \[GrantFu\] lists no such role/,
    "[GrantFu]\nusers = reader\n[x]\non.tables = t\nreader = execute\n":
      /:5: \[x\] reader: "execute" is no privilege of tables/,
    "[GrantFu]\nuser = reader\n": /user: unknown key, perhaps users is meant/,
    "[GrantFu]\nauto_seq = perhaps\n": /:2: \[GrantFu\] auto_seq: /,
  };
  for (const [text, complaint] of Object.entries(mistakes)) {
    it(`refuses ${JSON.stringify(text)}`, async () => {
      await using directory = await directoryWith({ "grants.ini": text });
      assert.throws(() => readGrantFile(join(directory.path, "grants.ini")), complaint);
    });
  }

  it("answers -v, -h and wrong calls without a file", async () => {
    assert.deepEqual((await runProgram("grantfu3", ["-v"])).stdout.split(",")[0], "grantfu3 version 1.0");
    const help = await runProgram("grantfu3", ["-h"]);
    assert.match(help.stdout, /^Usage: grantfu3 \[options\] <CONF>\n/);
    assert.doesNotMatch(help.stdout, /--daemon|--verbose|--ini/);
    const none = await runProgram("grantfu3", []);
    assert.deepEqual(
      [none.code, none.stderr],
      [1, "grantfu3: error: program grantfu3 got 0 args, but expects 1: <CONF>\n"],
    );
    assert.equal((await runProgram("grantfu3", ["-r", "-R", "x"])).code, 2);
  });
});

describe("catsql3", () => {
  it("follows includes from the current directory and drops other commands", async () => {
    await using directory = await directoryWith({
      "main.sql":
        "\\set x 1\nselect 1;\n\\i part.sql\n\\cd sub\n\\i 'in sub.sql'\ncopy t from stdin;\n\\N\n\\.\n\\q\nnever\n",
      "part.sql": "select 'part';",
      "sub/in sub.sql": "\\ir deep/er.sql\n",
      "sub/deep/er.sql": "select 'deeper';\n",
      "last.sql": "select 'not reached';\n",
    });
    const lines = ["", "select 1;", "", "select 'part';", "", "", "", "select 'deeper';", "", ""];
    const expected = [...lines, "copy t from stdin;", "\\N", "\\.", ""];
    assert.deepEqual(flattenScripts(["main.sql", "last.sql"], directory.path), expected);
    const { code, stdout } = await runProgram("catsql3", ["main.sql"], { cwd: directory.path });
    assert.deepEqual([code, stdout], [0, `${expected.join("\n")}\n`]);
  });

  it("leaves lines with a backslash within bodies, quoted texts and comments as they are", async () => {
    const script = [
      "/* for psql:",
      "\\i none",
      "*/",
      "create function f() returns text language sql as $$",
      "  select '",
      "\\q",
      "'$$;",
      "select (",
      "  1);",
    ];
    await using directory = await directoryWith({ "main.sql": [...script, "\\q", "never", ""].join("\n") });
    assert.deepEqual(flattenScripts(["main.sql"], directory.path), ["", ...script, ""]);
  });

  it("names the line that asks for a missing file, and refuses circles", async () => {
    await using directory = await directoryWith({
      "a.sql": "\n\\i b.sql\n",
      "b.sql": "\\i a.sql\n",
      "c.sql": "\\i none\n",
    });
    assert.throws(() => flattenScripts(["a.sql"], directory.path), /b\.sql:1: .*a\.sql includes itself/);
    const { code, stdout, stderr } = await runProgram("catsql3", ["c.sql"], { cwd: directory.path });
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /c\.sql:1: cannot read .*none \(ENOENT\)/);
  });

  it("refuses a file that is not UTF-8 instead of writing it damaged", async () => {
    await using directory = await directoryWith({ "a.sql": "" });
    writeFileSync(join(directory.path, "a.sql"), Buffer.from("select 'caf\xe9';\n", "latin1"));
    assert.throws(
      () => flattenScripts(["a.sql"], directory.path),
      /cannot read .*a\.sql \(it is not UTF-8\)/,
    );
  });

  it("puts a function's comment before it for documentation", () => {
    const header = ["create or replace function f(", "  a int)", "returns int as $$"];
    const body = ["begin", "  -- inner", "end; $$ language plpgsql;"];
    const comment = ["-- Function: f(1)", "-- says f"];
    assert.deepEqual(
      commentsBeforeFunctions(["x", ...header, ...comment.map((line) => `    ${line}`), ...body]),
      ["x", ...comment, ...header, ...body],
    );
  });
});

describe("find_sql_functions3", () => {
  const sql = `
    -- create function not.me(int);
    create or replace function pgq.f(i_a text, in "B" timestamp with time zone default now(), out c int, d numeric(10,2)[] = '{}')
      returns int as $$ create function inner_one(x int) $$ language sql security definer;
    create function g(double precision, character varying, x double precision, variadic rest public.t[]) returns int as 'x' language sql;
    create function h() returns void as $$ $$ language sql; create procedure p() as $$ $$ language sql;`;

  it("knows modes, names, defaults and types of several words", () => {
    assert.deepEqual(
      createdFunctions(sql).map((created) => listedFunction(created).signature),
      [
        "pgq.f(text, timestamp with time zone, numeric(10,2)[])",
        "g(double precision, character varying, double precision, public.t[])",
        "h()",
      ],
    );
  });

  it("prints a list, or statements with marks", async () => {
    await using directory = await directoryWith({ "f.sql": sql });
    const list = await runProgram("find_sql_functions3", [join(directory.path, "f.sql")]);
    assert.match(list.stdout, /^ {4}pgq\.f\(text, .*\),\n {4}g\(.*\),\n {4}h\(\),\n$/);
    const marked = await runProgram("find_sql_functions3", [
      "-s",
      "-p",
      "drop function",
      join(directory.path, "f.sql"),
    ]);
    const [first, , last] = marked.stdout.split("\n");
    assert.equal(
      first,
      `${"drop function pgq.f(text, timestamp with time zone, numeric(10,2)[]);".padEnd(72)}-- SECDEF`,
    );
    assert.equal(last, "drop function h();");
  });
});
