import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { temporaryDirectory } from "@skytools/testbed";
import { filesOfPattern } from "#src/file-pattern.js";
import { splitWords } from "#src/split-words.js";
import { systemdUnit } from "#src/systemd-unit.js";

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
  for (const name of [
    "a/1.ini",
    "a/2.ini",
    "b/1.ini",
    "b/1.txt",
    "b/.h.ini",
    "x[1].ini",
    "😀 $(id) 'q'.ini",
    "^.ini",
  ])
    writeFileSync(`${base}/${name}`, "");
  mkdirSync(`${base}/a/dir.ini`);
  const found = (pattern: string) =>
    filesOfPattern(pattern, { BASE: base }).map((file) => file.slice(base.length + 1));
  assert.deepEqual(found("$BASE/*/*.ini"), ["a/1.ini", "a/2.ini", "b/1.ini"]);
  assert.deepEqual(found(`\${BASE}/[!a]/?.*`), ["b/1.ini", "b/1.txt"]);
  assert.deepEqual(found(`${base}/b/1.txt`), ["b/1.txt"]);
  assert.deepEqual(found(`${base}/b/.*`), ["b/.h.ini"]);
  assert.deepEqual(found(`${base}/none/*.ini`), []);
  assert.deepEqual(found(`${base}/? $(id) 'q'.ini`), ["😀 $(id) 'q'.ini"]);
  assert.deepEqual(found(`${base}/[^].ini`), ["^.ini"]);
  assert.deepEqual(found(`${base}/[z-a].ini`), [], "a range that holds nothing");
  assert.deepEqual(found(`${base}/[b-az^].ini`), ["^.ini"]);
});

test("whatever a job, its files and its user are called, its unit has the same settings, and no words but those", () => {
  const keysOf = (odd: string) => {
    const service = {
      name: `s${odd}`,
      command: ["/bin/p", odd],
      args: [odd],
      user: `u${odd}`,
      workingDirectory: `/d${odd}`,
    };
    const job = { name: `j${odd}`, service, configFile: `/c${odd}` } as unknown as Parameters<
      typeof systemdUnit
    >[0];
    const lines = systemdUnit(job)
      .replace(/(?<!\\)((?:\\\\)*)\\\n/g, "$1")
      .split("\n");
    assert.equal(lines.filter((line) => /(?<!%)(%%)*%(?!%)/.test(line)).length, 0, odd);
    return lines.map((line) => line.split("=", 1)[0]);
  };
  const usual = keysOf("");
  for (const odd of [
    "\nExecStartPre=/bin/rm",
    "\r\n[Install]",
    "\\",
    "%h %%n",
    "$(id) `id`",
    `'"`,
    "; rm",
    "x".repeat(5000),
  ])
    assert.deepEqual(keysOf(odd), usual, odd);
});
