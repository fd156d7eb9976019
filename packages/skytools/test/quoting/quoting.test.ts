import assert from "node:assert/strict";
import { test } from "node:test";
import {
  copyRow,
  fqName,
  makePgArray,
  parseCopyRow,
  parsePgArray,
  quoteByteaCopy,
  quoteByteaLiteral,
  quoteCopy,
  quoteFqIdent,
  quoteIdent,
  quoteJson,
  quoteLiteral,
  quoteStatement,
  splitFqName,
  unescapeC,
  unescapeCopy,
  unquoteFqIdent,
  unquoteIdent,
  unquoteLiteral,
} from "#src/index.js";
import { parseNestedPgArray } from "#src/quoting/pg-array.js";

test("literals", () => {
  assert.equal(quoteLiteral("a\\'b"), "E'a\\\\''b'");
  assert.equal(quoteLiteral(null), "null");
  assert.equal(quoteLiteral(""), "''");
  assert.equal(quoteLiteral("it's"), "'it''s'");
  assert.equal(quoteLiteral(1), "'1'");
  assert.equal(quoteLiteral(2n ** 63n), "'9223372036854775808'");
  assert.deepEqual([quoteLiteral(true), quoteLiteral(false)], ["'t'", "'f'"]);
  assert.equal(quoteByteaLiteral(Buffer.from([0, 255, 39])), "'\\x00ff27'");
  assert.equal(quoteByteaLiteral(null), "null");
});

test("identifiers are quoted only where PostgreSQL would", () => {
  assert.equal(quoteIdent("users"), "users");
  assert.equal(quoteIdent("_x9"), "_x9");
  for (const name of ["Users", "a b", "9x", "a$b", "ä", "", "select", "user", "between", "json_table"]) {
    assert.equal(quoteIdent(name), `"${name}"`);
  }
  assert.equal(quoteIdent('a"b'), '"a""b"');
  assert.equal(quoteIdent("name"), "name");
});

test("names with a schema: the first dot separates, no dot is public", () => {
  assert.equal(quoteFqIdent("Baz.Foo.Bar"), '"Baz"."Foo.Bar"');
  assert.equal(quoteFqIdent("users"), "public.users");
  assert.equal(quoteFqIdent("select.from"), '"select"."from"');
  assert.deepEqual(splitFqName("a.b.c"), ["a", "b.c"]);
  assert.equal(fqName("users"), "public.users");
  assert.equal(fqName("a.b"), "a.b");
});

test("identifiers are unquoted", () => {
  assert.equal(unquoteIdent("Foo"), "foo");
  assert.equal(unquoteIdent('"Foo"'), "Foo");
  assert.equal(unquoteIdent('"a""b"'), 'a"b');
  assert.throws(() => unquoteIdent('a"b'), /invalid quoting/);
  assert.throws(() => unquoteIdent('"a"b"'), /invalid quoting/);
  assert.equal(unquoteFqIdent('"Sch.ema"."Ta""ble"'), 'Sch.ema.Ta"ble');
  assert.equal(unquoteFqIdent("Foo.Bar"), "foo.bar");
  assert.equal(unquoteFqIdent('foo."Bar.baz"'), "foo.Bar.baz");
  assert.equal(unquoteFqIdent("Foo"), "foo");
});

test("literals are unquoted, with and without standard strings", () => {
  assert.equal(unquoteLiteral("null", true), null);
  assert.equal(unquoteLiteral("NULL", true), null);
  assert.equal(unquoteLiteral("12", true), "12");
  assert.equal(unquoteLiteral("'it''s \\n'", true), "it's \\n");
  assert.equal(unquoteLiteral("'it''s \\n'", false), "it's \n");
  assert.equal(unquoteLiteral("E'a\\tb\\\\c\\'d'", true), "a\tb\\c'd");
  assert.equal(unquoteLiteral("$$a'b$$", true), "a'b");
  assert.equal(unquoteLiteral("$q$ $$ $q$", true), " $$ ");
  for (const text of ["$$a", "$q$a$r$", "$a", "$$"])
    assert.throws(() => unquoteLiteral(text, true), /dollar/);
});

test("C escapes: control letters, octal and hex bytes, anything else is itself", () => {
  assert.equal(unescapeC("a\\b\\f\\n\\r\\t\\v\\a"), "a\b\f\n\r\t\v\x07");
  assert.equal(unescapeC("\\101\\x42\\x4"), "AB\x04");
  assert.equal(unescapeC("\\303\\251 \\xc3\\xa9"), "é é");
  assert.equal(unescapeC("\\q\\\\\\'\\\""), "q\\'\"");
  assert.equal(unescapeC("\\X41\\u0041\\"), "X41u0041\\");
});

test("escaped bytes that are not UTF-8 are refused, not damaged", () => {
  for (const text of ["\\xe9", "a\\303", "\\xc3x\\xa9"])
    assert.throws(() => unescapeC(text), { code: "ESCAPE", message: /not valid UTF-8/ });
  assert.throws(() => unquoteLiteral("E'caf\\xe9'", true), { code: "ESCAPE" });
  assert.equal(unescapeC("\\303\\251".repeat(2_000_000)).length, 2_000_000);
});

test("an unquoted name is folded as the server does it", () => {
  assert.equal(unquoteIdent("ÄbC"), "Äbc");
  assert.equal(unquoteFqIdent("İX.Y"), "İx.y");
  assert.equal(unquoteIdent(`"${'a""'.repeat(3_000_000)}"`).length, 6_000_000);
});

test("a backslash keeps the blank at the end of an array's item", () => {
  assert.deepEqual(parsePgArray("{a\\ ,b  , c\\\\ }"), ["a ", "b", "c\\"]);
});

test("COPY fields and rows", () => {
  assert.equal(quoteCopy(null), "\\N");
  assert.equal(quoteCopy("a\tb\nc\rd\\e"), "a\\tb\\nc\\rd\\\\e");
  assert.equal(unescapeCopy("\\N"), null);
  assert.equal(unescapeCopy("\\\\N"), "\\N");
  assert.equal(unescapeCopy("a\\tb\\fc\\vd"), "a\tb\fc\vd");
  assert.equal(quoteByteaCopy(Buffer.from("A")), "\\\\x41");
  assert.equal(quoteByteaCopy(null), "\\N");
  assert.equal(copyRow(["a", null, "\t"]), "a\t\\N\t\\t\n");
  assert.deepEqual(parseCopyRow("a\t\\N\t\\t\t"), ["a", null, "\t", ""]);
});

test("arrays of more dimensions are read with the type of their items, and the server's bounds left out", () => {
  assert.deepEqual(parseNestedPgArray("{1,NULL}", Number), [1, null]);
  assert.deepEqual(parseNestedPgArray("[1:1][0:1]={{1,2}}", Number), [[1, 2]]);
  assert.deepEqual(parseNestedPgArray('{{"a,}",b},{"NULL",NULL}}', String), [
    ["a,}", "b"],
    ["NULL", null],
  ]);
  assert.deepEqual(parseNestedPgArray("{ {{x}} , {{y}} }", String), [[["x"]], [["y"]]]);
  for (const bad of ["", "{", "{{1}", "{1}}", "{{1},}", "{{1}2}", "{1 {2}}", "[1:2{1}", "{{{{{{{1}}}}}}}"]) {
    assert.throws(() => parseNestedPgArray(bad, String), /malformed/, bad);
  }
});

test("arrays", () => {
  assert.equal(makePgArray(["foo_3", 1, "", null]), '{foo_3,1,"",NULL}');
  assert.equal(makePgArray([]), "{}");
  assert.equal(
    makePgArray(["null", "NULL", "A", 'q"\\', "a,b", " ", true, 2n]),
    '{"null","NULL","A","q\\"\\\\","a,b"," ",t,2}',
  );
  assert.equal(
    makePgArray([
      [1, 2],
      [3, null],
    ]),
    "{{1,2},{3,NULL}}",
  );
  assert.deepEqual(parsePgArray('{foo,"b,c",NULL,"NULL","q\\"\\\\",""}'), [
    "foo",
    "b,c",
    null,
    "NULL",
    'q"\\',
    "",
  ]);
  assert.deepEqual(parsePgArray("[0:1]={a,b}"), ["a", "b"]);
  assert.deepEqual(parsePgArray("{}"), []);
  assert.deepEqual(
    parsePgArray("{ \u00a0x,\u2028 }"),
    ["\u00a0x", "\u2028"],
    "blanks that are none to the server",
  );
  assert.equal(parsePgArray(null), null);
  assert.deepEqual(parsePgArray('[1:2]={a\\,b,"x y"}'), ["a,b", "x y"]);
  for (const text of ["", "a", "{a", "{{a}}", "{a}{b}", '{"a"b}', "{a,}", "{,a}", "{a}x"])
    assert.throws(() => parsePgArray(text), { code: "USAGE" }, text);
});

test("JSON strings", () => {
  assert.equal(quoteJson('a/b"\\\n'), '"a\\/b\\"\\\\\\n"');
  assert.equal(quoteJson(null), "null");
});

test("statements for the log are filled in", () => {
  assert.equal(quoteStatement("select $2, $1, $3", ["a", 1]), "select '1', 'a', $3");
  assert.equal(quoteStatement("f(%s, %s) 5%%", ["a'", null]), "f('a''', null) 5%");
  assert.equal(quoteStatement("f(%(x)s, %(y)s)", { x: 1n }), "f('1', %(y)s)");
  assert.equal(quoteStatement("f($1)", [[1, "b"]]), `f('[1,"b"]')`);
});
