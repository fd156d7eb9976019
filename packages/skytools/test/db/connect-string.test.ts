import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  formatConnectString,
  maskConnectString,
  mergeConnectString,
  parseConnectPairs,
  UsageError,
} from "#src/index.js";

const pairsOf = (text: string) => Object.fromEntries(parseConnectPairs(text));

test("key=value lists: blanks around =, quotes and escapes as in libpq", () => {
  assert.deepEqual(pairsOf("dbname=x host=y"), { dbname: "x", host: "y" });
  assert.deepEqual(pairsOf(" dbname = x\n\thost\t= 'a b' "), { dbname: "x", host: "a b" });
  assert.deepEqual(pairsOf(String.raw`password='it\'s \\ ok' user=a\ b`), {
    password: String.raw`it's \ ok`,
    user: "a b",
  });
  assert.deepEqual(pairsOf("dbname='' host="), { dbname: "", host: "" });
  assert.deepEqual(pairsOf("port=1 port=2"), { port: "2" });
  assert.deepEqual(pairsOf("host=a'b"), { host: "a'b" });
  assert.deepEqual(pairsOf(""), {});
});

test("URIs: user, password, hosts with ports, IPv6, percent escapes, query parameters", () => {
  assert.deepEqual(pairsOf("postgresql://"), {});
  assert.deepEqual(pairsOf("postgres://me:p%40ss@db1:5433/shop?application_name=a%20b&connect_timeout=3"), {
    user: "me",
    password: "p@ss",
    host: "db1",
    port: "5433",
    dbname: "shop",
    application_name: "a b",
    connect_timeout: "3",
  });
  assert.deepEqual(pairsOf("postgresql://a:1,b,[::1]:3/x"), { host: "a,b,::1", port: "1,,3", dbname: "x" });
  assert.deepEqual(pairsOf("postgresql:///x?host=/run/pg&ssl=true"), {
    dbname: "x",
    host: "/run/pg",
    sslmode: "require",
  });
  assert.deepEqual(pairsOf("postgresql://%2Frun%2Fpg/x"), { host: "/run/pg", dbname: "x" });
  assert.deepEqual(pairsOf("postgresql://u@/x%2Fy"), { user: "u", dbname: "x/y" });
  assert.deepEqual(pairsOf("postgresql://u:a?b@h"), { user: "u", password: "a?b", host: "h" });
});

test("errors name the key, suggest the right one and never show a value", () => {
  const cases: [string, RegExp, RegExp?][] = [
    ["dbnam=x", /invalid connection option "dbnam"/, /Did you mean "dbname"\?/],
    ["sslmod=require", /invalid connection option "sslmod"/, /"sslmode"/],
    ["postgresql://h/x?aplication_name=y", /"aplication_name"/, /"application_name"/],
    ["mydb", /missing "=" after "mydb"/],
    ["dbname=x secret!word", /missing "=" after "\.\.\."/],
    ["= x", /missing "="/],
    ["password='abc", /^unterminated quoted string in connect string$/],
    ["postgresql://h/x?a", /missing key\/value separator/],
    ["postgresql://h/x?dbname=a=b", /extra key\/value separator/],
    ["postgresql://h/%zz", /invalid percent-encoded token/],
    ["postgresql://h/%00", /forbidden value %00/],
    ["postgresql://[::1/x", /IPv6/],
  ];
  for (const [text, message, hint] of cases) {
    assert.throws(
      () => parseConnectPairs(text),
      (error) => {
        assert.ok(error instanceof UsageError, text);
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /secret|abc/);
        if (hint !== undefined) assert.match(error.hint ?? "", hint);
        return true;
      },
    );
  }
});

test("any value survives being written and read back", () => {
  const key = fc.constantFrom("dbname", "user", "password", "host", "options", "application_name");
  fc.assert(
    fc.property(fc.array(fc.tuple(key, fc.string({ unit: "grapheme" }))), (entries) => {
      const pairs = new Map(entries);
      assert.deepEqual(parseConnectPairs(formatConnectString(pairs)), pairs);
    }),
  );
});

test("any value survives a URI", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), (name, password) => {
      fc.pre(!name.includes("\0") && !password.includes("\0"));
      const uri = `postgresql://u:${encodeURIComponent(password)}@h/${encodeURIComponent(name)}`;
      assert.deepEqual(pairsOf(uri), { user: "u", password, host: "h", dbname: name });
    }),
  );
});

test("the extra keys of a profile are laid over lists and URIs alike", () => {
  assert.equal(mergeConnectString("dbname=x", ""), "dbname=x");
  assert.equal(
    mergeConnectString("dbname=x user=a", "user=b sslmode=require"),
    "dbname=x user=b sslmode=require",
  );
  assert.equal(
    mergeConnectString("postgresql://a@h/x", "user=b password='p q'"),
    "user=b host=h dbname=x password='p q'",
  );
  assert.equal(mergeConnectString("dbname='a b'", "postgresql://h2"), "dbname='a b' host=h2");
});

test("no secret survives masking, whatever the form", () => {
  assert.equal(maskConnectString("dbname=x host=y"), "dbname=x host=y");
  assert.equal(maskConnectString("dbname=x password=geheim host=y"), "dbname=x password=[...] host=y");
  for (const text of [
    "password=geheim",
    "password='geheim geheim' dbname=x",
    "dbname=x sslpassword=geheim",
    "postgresql://u:geheim@h/x",
    "postgresql://u@h/x?password=geheim",
    "postgresql://u:geheim@h/%zz",
    "dbname=x PASSWORD = geheim junk",
    "dbname=x password='geheim",
    "nonsense pass=geheim",
  ]) {
    assert.doesNotMatch(maskConnectString(text), /geheim/, text);
  }
});
