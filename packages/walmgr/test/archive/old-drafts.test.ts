import assert from "node:assert/strict";
import { readdir, readFile, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "@skytools/testbed";
import { replaceFile } from "#src/archive/durable-file.js";

test("drafts of a file that killed processes have left go when it is replaced; others stay", async () => {
  await using directory = await temporaryDirectory("drafts");
  const at = (name: string) => join(directory.path, name);
  const old = ["last.4000001.tmp", "last.x.tmp", "last.4000001.tmp.1", "other.4000001.tmp", "last.4000001"];
  for (const name of [...old, "last.4000002.tmp"]) await writeFile(at(name), "");
  const longAgo = new Date(Date.now() - 2 * 3600_000);
  for (const name of old) await utimes(at(name), longAgo, longAgo);
  await replaceFile(at("last"), "new");
  assert.equal(await readFile(at("last"), "utf8"), "new");
  const left = ["last", "last.4000002.tmp", ...old.filter((name) => name !== "last.4000001.tmp")];
  assert.deepEqual((await readdir(directory.path)).sort(), left.sort());
});
