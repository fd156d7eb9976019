// The search for file effects finds what it is there for.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileEffects } from "./file-effects.mjs";

const names = (text) => fileEffects("x.ts", text).map(({ name, line }) => `${name}:${line}`);

test("what changes files is found however it is called", () => {
  assert.deepEqual(names('import { rm as gone,\n  symlinkSync } from "node:fs";'), ["rm:1", "symlinkSync:2"]);
  assert.deepEqual(names('import * as files from "node:fs/promises";'), ["*:1"]);
  assert.deepEqual(names('import files from "fs";'), ["*:1"]);
  assert.deepEqual(names('const files =\n await import("node:fs");'), ["*:2"]);
  assert.deepEqual(names('import { promises, createWriteStream } from "node:fs";'), [
    "promises:1",
    "createWriteStream:1",
  ]);
});

test("what opens a file is looked at for its flags", () => {
  const open = (call) => names(`import { constants, open, openSync as now } from "node:fs";\n${call};`);
  for (const call of [
    "open(p)",
    'now(p, "r")',
    "open(p, constants.O_RDONLY | constants.O_NOFOLLOW)",
    "a.open(p)",
  ])
    assert.deepEqual(open(call), [], call);
  for (const call of [
    'open(p, "r+")',
    "open(p, flags)",
    "open(p, 1)",
    "open(p, constants.O_RDONLY | constants.O_CREAT)",
  ])
    assert.deepEqual(open(call), ["open:2"], call);
  assert.deepEqual(open('now(p, "a", 0o600)'), ["openSync:2"]);
  assert.deepEqual(open("pass(open)"), ["open:2"]);
});

test("reading, types, and what only sounds so are let pass", () => {
  assert.deepEqual(names('import { readFileSync, type WriteStream } from "node:fs";\nrm(x); a.rm(x);'), []);
  assert.deepEqual(names('import type { rm } from "node:fs";\n// writeFile("x")\nconst s = "rm(x)";'), []);
});
