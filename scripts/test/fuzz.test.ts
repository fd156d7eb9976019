import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, it } from "node:test";
import { SkytoolsError } from "@skytools/skytools";
import { createdFunctions } from "@skytools/sql";
import { type FuzzedParser, fuzzParser } from "@skytools/testbed";
import { commentsBeforeFunctions } from "#src/catsql3/function-comments.js";
import { flattenScripts } from "#src/catsql3/psql-script.js";
import { listedFunction } from "#src/find-sql-functions3/listed-function.js";
import { readGrantFile } from "#src/grantfu3/grant-file.js";
import { partitionTemplate } from "#src/loading/part-template.js";
import { NamedQuery } from "#src/row-query/named-query.js";

const directory = mkdtempSync(join(tmpdir(), "fuzz-"));
const file = join(directory, "x");
after(() => rmSync(directory, { recursive: true }));

function inFile<T>(parse: (path: string) => T): (text: string) => T {
  return (text) => {
    writeFileSync(file, text);
    return parse(file);
  };
}

const functions = [
  "create or replace function s.f(a int, in b text = ')', out c int) returns int as $$ -- x\nbegin end; $$ language plpgsql security definer;",
  "create function f(\n  double precision, variadic public.t[])\nreturns int as $x$\n  -- says f\nselect 1 $x$ language sql;",
];

/** Every reader of this package for files, queries and templates. */
const parsers: readonly FuzzedParser[] = [
  {
    name: "readGrantFile",
    parse: inFile(readGrantFile),
    samples: [
      '[GrantFu]\nroles = a, b\ngroups = g\n[1]\non.tables = t!, "x y"\na = select (c), insert\npublic = \n',
      "[GrantFu]\nusers: a\nauto_seq: 1\n[x]\non.functions: f(int),\n  g()\na: all privileges\n",
    ],
  },
  {
    name: "flattenScripts",
    parse: inFile((path) => flattenScripts([path], directory)),
    samples: ["select 1;\n\\i none\n", "copy t (a) from stdin;\n1\n\\.\n\\cd /\n\\q\n", "\\ir 'a b'\n"],
  },
  {
    name: "commentsBeforeFunctions",
    parse: (text) => commentsBeforeFunctions(text.split("\n")),
    samples: functions,
  },
  {
    name: "createdFunctions",
    parse: (text) => createdFunctions(text).map(listedFunction),
    samples: functions,
  },
  {
    name: "NamedQuery",
    parse: (text) => new NamedQuery(text).sql,
    samples: ["select f(%(pgq.ev_id)s, %(a b)s) %% 2", "%(x)s"],
  },
  {
    name: "partitionTemplate",
    parse: partitionTemplate,
    samples: ["create table _DEST_TABLE (like _PARENT) %"],
  },
];

for (const parser of parsers) {
  it(`${parser.name} reads or refuses whatever comes, soon`, () => {
    fuzzParser({ isRefusal: (error) => error instanceof SkytoolsError, ...parser });
  });
}
