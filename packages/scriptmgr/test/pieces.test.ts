import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { temporaryDirectory } from "@skytools/testbed";
import { filesOfPattern } from "#src/file-pattern.js";
import { splitWords } from "#src/split-words.js";

for (const [text, words] of [
  ["", []],
  ["  londiste3  ", ["londiste3"]],
  [`node '/a b/x.js' "c \\"d" e\\ f g'h'"i"`, ["node", "/a b/x.js", 'c "d', "e f", "ghi"]],
  ["a ''", ["a", ""]],
  ["'open", undefined],
  ["a $HOME; rm", ["a", "$HOME;", "rm"]],
] as const) {
  test(`words of ${JSON.stringify(text)}`, () => assert.deepEqual(splitWords(text), words));
}

test("patterns name files, not directories or hidden files", async () => {
  await using directory = await temporaryDirectory("pattern");
  const base = directory.path;
  for (const name of ["a", "b"]) mkdirSync(`${base}/${name}`);
  for (const name of ["a/1.ini", "a/2.ini", "b/1.ini", "b/1.txt", "b/.h.ini", "x[1].ini"])
    writeFileSync(`${base}/${name}`, "");
  mkdirSync(`${base}/a/dir.ini`);
  const found = (pattern: string) =>
    filesOfPattern(pattern, { BASE: base }).map((file) => file.slice(base.length + 1));
  assert.deepEqual(found("$BASE/*/*.ini"), ["a/1.ini", "a/2.ini", "b/1.ini"]);
  assert.deepEqual(found(`\${BASE}/[!a]/?.*`), ["b/1.ini", "b/1.txt"]);
  assert.deepEqual(found(`${base}/b/1.txt`), ["b/1.txt"]);
  assert.deepEqual(found(`${base}/b/.*`), ["b/.h.ini"]);
  assert.deepEqual(found(`${base}/none/*.ini`), []);
});
