import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "@skytools/testbed";
import { addKey, removeKeys } from "#src/init/authorized-keys.js";
import { setPasswordEntry } from "#src/init/password-entry.js";
import { writeAutoConf } from "#src/restore/server-settings.js";

test("what others have written into a file stays as it is, byte for byte, also when it is not UTF-8", async () => {
  await using directory = await temporaryDirectory("lines");
  const path = join(directory.path, "postgresql.auto.conf");
  const theirs = Buffer.from("x:*:*:*:caf\xe9\xff\n", "latin1");
  const written = () => readFileSync(path).toString("latin1");
  const ours = (text: string) => Buffer.from(text).toString("latin1");

  writeFileSync(path, theirs);
  await setPasswordEntry(path, "host=h user=jürgen", "größe");
  await setPasswordEntry(path, "host=h user=jürgen", "straße");
  assert.equal(written(), ours("h:5432:replication:jürgen:straße\n") + theirs.toString("latin1"));

  writeFileSync(path, theirs);
  assert.equal(await addKey(path, "ssh-rsa A jürgen"), true);
  assert.equal(await addKey(path, "ssh-rsa A jürgen"), false);
  assert.equal(written(), theirs.toString("latin1") + ours("ssh-rsa A jürgen\n"));
  assert.equal(await removeKeys(path, "jürgen"), 1);
  assert.equal(written(), theirs.toString("latin1"));

  writeFileSync(path, Buffer.from("a.b = 'caf\xe9'\nprimary_conninfo = 'x'\n", "latin1"));
  await writeAutoConf(directory.path, new Map([["primary_conninfo", "user=jürgen"]]));
  assert.equal(written(), `a.b = 'caf\xe9'\n${ours("primary_conninfo = 'user=jürgen'\n")}`);
});
