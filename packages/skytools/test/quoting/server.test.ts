import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startCluster } from "@skytools/testbed";
import fc from "fast-check";
import {
  Database,
  makePgArray,
  parsePgArray,
  quoteCopy,
  quoteFqIdent,
  quoteIdent,
  quoteLiteral,
  SkytoolsError,
  unescapeC,
  unescapeCopy,
  unquoteIdent,
  unquoteLiteral,
} from "#src/index.js";
import { quotedKeywords } from "#src/quoting/keywords.js";

// What the server says is what is right; each test compares many values in few statements.
const cluster = await startCluster({ settings: { log_statement: "none" } });
const db = await Database.open(cluster.connstr(), { autocommit: true });
after(async () => {
  await db.close();
  await cluster[Symbol.asyncDispose]();
});

const text = fc.string({ unit: "binary" }).filter((value) => !value.includes("\0"));
const spicy = fc.string({
  unit: fc.constantFrom("'", '"', "\\", "$", ".", "%", " ", "\t", "\n", "\r", "\f", "\v", "N", "a", "é"),
});
const texts = fc.array(fc.oneof(text, spicy), { minLength: 1, maxLength: 50 });
const runs = { numRuns: 40 };

test("literals come back unchanged, whatever standard_conforming_strings says", async () => {
  for (const setting of ["on", "off"]) {
    await db.execute(`set standard_conforming_strings = ${setting}; set escape_string_warning = off`);
    await fc.assert(
      fc.asyncProperty(texts, async (values) => {
        const rows = await db.query<{ v: string }>(
          `select v from unnest(array[${values.map(quoteLiteral).join(",")}]::text[]) with ordinality x(v, n) order by n`,
        );
        assert.deepEqual(
          rows.map((row) => row.v),
          values,
        );
      }),
      runs,
    );
  }
  await db.execute("set standard_conforming_strings = on");
});

test("the server's quote_literal and quote_ident agree with ours and are read back", async () => {
  await fc.assert(
    fc.asyncProperty(texts, async (values) => {
      const rows = await db.query<{ literal: string; ident: string }>(
        "select quote_literal(v) as literal, quote_ident(v) as ident from unnest($1::text[]) with ordinality x(v, n) order by n",
        [values],
      );
      assert.deepEqual(
        rows.map((row) => row.ident),
        values.map(quoteIdent),
      );
      assert.deepEqual(
        rows.map((row) => row.literal.trim()),
        values.map(quoteLiteral),
      );
      assert.deepEqual(
        rows.map((row) => unquoteLiteral(row.literal.trim(), true)),
        values,
      );
      assert.deepEqual(
        rows.map((row) => unquoteIdent(row.ident)),
        values,
      );
    }),
    runs,
  );
});

test("the keyword list is the server's", async () => {
  const rows = await db.query<{ word: string }>("select word from pg_get_keywords() where catcode <> 'U'");
  const missing = rows.map((row) => row.word).filter((word) => !quotedKeywords.has(word));
  assert.deepEqual(missing, []);
  if (db.serverVersion >= 180000) assert.equal(quotedKeywords.size, rows.length);
});

test("tables with hostile names of up to 63 bytes can be made and found", async () => {
  const name = fc
    .oneof(text, spicy)
    .filter(
      (value) => value !== "" && Buffer.byteLength(value) <= 63 && Buffer.from(value).toString() === value,
    );
  const long = ["x".repeat(63), "é".repeat(31), '"'.repeat(63), "a.b.c", "Ünïcode Name", "select"];
  const schemas = ["plain", 'Odd "Schema"', "select"];
  for (const schema of schemas) await db.execute(`create schema ${quoteIdent(schema)}`);
  const check = async (schema: string, table: string) => {
    const quoted = quoteFqIdent(`${schema}.${table}`);
    await db.execute(`create table ${quoted}(id int); drop table if exists plain.none`);
    const found = await db.queryValue(
      "select relname from pg_class where oid = to_regclass($1) and relnamespace = (select oid from pg_namespace where nspname = $2)",
      [quoted, schema],
    );
    assert.equal(found, table);
    await db.execute(`drop table ${quoted}`);
  };
  for (const table of long) for (const schema of schemas) await check(schema, table);
  await fc.assert(fc.asyncProperty(fc.constantFrom(...schemas), name, check), { numRuns: 60 });
});

test("arrays go both ways", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.option(fc.oneof(text, spicy, fc.constantFrom("null", "NULL", "{", "}")))),
      async (items) => {
        const row = await db.queryOne<{ same: string[]; back: string }>(
          "select $1::text[] as same, ($1::text[])::text as back",
          [makePgArray(items)],
        );
        assert.deepEqual(row.same, items);
        assert.deepEqual(parsePgArray(row.back), items);
      },
    ),
    runs,
  );
});

test("COPY text goes both ways", async () => {
  await db.execute("create temp table copied(n int, v text)");
  await fc.assert(
    fc.asyncProperty(fc.array(fc.option(fc.oneof(text, spicy)), { minLength: 1 }), async (values) => {
      await db.execute("truncate copied");
      const stream = db.copyIn("copy copied from stdin");
      stream.end(values.map((value, index) => `${index}\t${quoteCopy(value)}\n`).join(""));
      await stream.done;
      const rows = await db.query<{ v: string | null }>("select v from copied order by n");
      assert.deepEqual(
        rows.map((row) => row.v),
        values,
      );
      const chunks: Buffer[] = [];
      for await (const chunk of db.copyOut("copy (select v from copied order by n) to stdout"))
        chunks.push(chunk as Buffer);
      const lines = Buffer.concat(chunks).toString().split("\n").slice(0, -1);
      assert.deepEqual(lines.map(unescapeCopy), values);
    }),
    runs,
  );
});

test("escapes mean what the server says", async () => {
  const piece = fc.constantFrom(
    "\\b",
    "\\f",
    "\\n",
    "\\r",
    "\\t",
    "\\101",
    "\\7",
    "\\x41",
    "\\x4",
    "\\\\",
    "\\q",
    "a",
    "é",
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece), async (parts) => {
      const body = parts.join("");
      assert.equal(await db.queryValue(`select E'${body}'`), unescapeC(body));
    }),
    runs,
  );
});

test("a literal has the server's value, or both refuse it", async () => {
  const piece = fc.constantFrom(
    "\\X41",
    "\\xE9",
    "\\xc3\\xa9",
    "\\351",
    "\\u00e9",
    "\\u00E",
    "\\ud83d",
    "\\ude00",
    "\\U0001F600",
    "\\U00110000",
    "\\\\",
    "\\'",
    "''",
    "a",
    "é",
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 5 }), async (parts) => {
      const literal = `E'${parts.join("")}'`;
      let ours: string | null | undefined;
      try {
        ours = unquoteLiteral(literal, true);
      } catch (error) {
        assert.ok(error instanceof SkytoolsError, String(error));
      }
      const servers = await db.queryValue<string>(`select ${literal}`).catch(() => undefined);
      assert.equal(ours, servers, literal);
    }),
    runs,
  );
});

test("a name without quotes is the server's", async () => {
  const letter = fc.constantFrom("a", "B", "_", "é", "É", "İ", "ß", "Σ", "K", "字", "1", "$");
  await fc.assert(
    fc.asyncProperty(fc.array(letter, { maxLength: 12 }), async (letters) => {
      const name = `x${letters.join("")}`;
      const [row] = await db.query<object>(`select 1 as ${name}`);
      assert.deepEqual(Object.keys(row ?? {}), [unquoteIdent(name)]);
    }),
    runs,
  );
});
