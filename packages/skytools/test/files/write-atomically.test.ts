import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { temporaryDirectory } from "@skytools/testbed";
import { UsageError, writeAtomically } from "#src/index.js";

test("a file is replaced whole, with permissions and a backup of the old one", async () => {
  await using directory = await temporaryDirectory("atomic");
  const path = `${directory.path}/file`;
  writeAtomically(path, "one", { mode: 0o600, backupExtension: ".old" });
  assert.equal(readFileSync(path, "utf8"), "one");
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(existsSync(`${path}.old`), false);
  writeAtomically(path, Buffer.from("two"), { backupExtension: ".old" });
  writeAtomically(path, "three", { backupExtension: ".old" });
  assert.equal(readFileSync(path, "utf8"), "three");
  assert.equal(readFileSync(`${path}.old`, "utf8"), "two");
  assert.equal(existsSync(`${path}.new`), false);
});

test("what a killed process left is no obstacle, and a reader of the old file keeps it", async () => {
  await using directory = await temporaryDirectory("atomic");
  const path = `${directory.path}/file`;
  writeFileSync(path, "old");
  writeFileSync(`${path}.new`, "half of somethi");
  const { ino } = statSync(path);
  writeAtomically(path, "new");
  assert.equal(readFileSync(path, "utf8"), "new");
  assert.notEqual(statSync(path).ino, ino);
});

test("a bad extension or place changes nothing", async () => {
  await using directory = await temporaryDirectory("atomic");
  const path = `${directory.path}/file`;
  writeFileSync(path, "old");
  assert.throws(() => writeAtomically(path, "new", { backupExtension: "/x" }), UsageError);
  assert.throws(() => writeAtomically(`${directory.path}/no/file`, "new"), { code: "ENOENT" });
  assert.equal(readFileSync(path, "utf8"), "old");
});
