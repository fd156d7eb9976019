import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "@skytools/testbed";
import { findPassword, readPasswordFile } from "#src/db/password-file.js";

const key = { host: "db1", port: 5432, database: "shop", user: "joe" };

test("the first matching line gives the password", () => {
  const text = [
    "# comment",
    "too:few",
    "db2:5432:shop:joe:other",
    "db1:5433:shop:joe:port",
    "db1:5432:shop:joe:first",
    "*:*:*:*:second",
  ].join("\n");
  assert.equal(findPassword(text, key), "first");
  assert.equal(findPassword(text, { ...key, user: "ann" }), "second");
  assert.equal(findPassword("db1:5432:shop:ann:x", key), undefined);
});

test("colons and backslashes are escaped, a star with a backslash is a star", () => {
  assert.equal(
    findPassword(String.raw`\:\:1:5432:a\\b:*:p\:q\\r`, { ...key, host: "::1", database: "a\\b" }),
    "p:q\\r",
  );
  assert.equal(findPassword(String.raw`db1:*:\*:joe:x`, key), undefined);
  assert.equal(findPassword(String.raw`db1:*:\*:joe:x`, { ...key, database: "*" }), "x");
  assert.equal(findPassword("db1:*:*:*:crlf\r\n", key), "crlf");
});

test("a colon without a backslash ends the password, as it does for libpq", () => {
  assert.equal(findPassword("db1:5432:shop:joe:secret:of joe\n", key), "secret");
  assert.equal(findPassword(String.raw`db1:5432:shop:joe:se\:cret:`, key), "se:cret");
});

test("a password that is not UTF-8 is not used damaged, and said so", async () => {
  await using directory = await temporaryDirectory("pgpass");
  const file = join(directory.path, "pgpass");
  writeFileSync(file, Buffer.from("# caf\xe9\nx:*:*:*:caf\xe9\n*:*:*:*:plain\n", "latin1"), { mode: 0o600 });
  const warnings: string[] = [];
  const read = (host: string) =>
    readPasswordFile(file, { ...key, host }, (message) => warnings.push(message));
  assert.equal(read("db1"), "plain");
  assert.equal(read("x"), undefined);
  assert.match(warnings.join(), /^password file ".*" has a password that is not valid UTF-8$/);
});

test("a file that others can read is not used, and said so", async () => {
  await using directory = await temporaryDirectory("pgpass");
  const file = join(directory.path, "pgpass");
  const warnings: string[] = [];
  const read = () => readPasswordFile(file, key, (message) => warnings.push(message));
  assert.equal(read(), undefined);
  assert.equal(warnings.length, 0);
  writeFileSync(file, "*:*:*:*:secret\n");
  chmodSync(file, 0o644);
  assert.equal(read(), undefined);
  assert.match(warnings[0] ?? "", /has group or world access/);
  chmodSync(file, 0o600);
  assert.equal(read(), "secret");
  assert.equal(
    readPasswordFile(directory.path, key, (message) => warnings.push(message)),
    undefined,
  );
  assert.match(warnings[1] ?? "", /is not a plain file/);
});
