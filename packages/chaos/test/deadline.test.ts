import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { runProgram, temporaryDirectory } from "@skytools/testbed";

const main = fileURLToPath(new URL("../dist/main.js", import.meta.url));

test("a run that is not at its end when its time is up says so, and fails", async () => {
  // Its logs stay for those who want to know how far it came.
  await using directory = await temporaryDirectory("chaos", "servers");
  const { code, stderr } = await runProgram(process.execPath, [main, "--seed", "3", "--deadline", "0.001"], {
    env: { TMPDIR: directory.path },
  });
  assert.equal(code, 1, stderr);
  assert.match(stderr, /^chaos, seed 3: not at an end 0.001 minutes after its start$/m);
  assert.match(stderr, /^again: npm run test:chaos -- --seed 3 --minutes 10$/m);
});
