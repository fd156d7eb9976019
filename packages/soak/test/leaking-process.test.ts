import assert from "node:assert/strict";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { startProgram, temporaryDirectory, waitFor } from "@skytools/testbed";
import { processFigures } from "#src/process-figures.js";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

test("a process that leaks memory, files, sockets, timers and children is seen to", async () => {
  await using directory = await temporaryDirectory("leak");
  const probe = join(directory.path, "probe.mjs");
  copyFileSync(here("../dist/probe.js"), probe);
  await using leaking = startProgram(here("fixture/leaking-program.js"), [], {
    env: { NODE_OPTIONS: `--import=${probe}`, SOAK_PROBES: directory.path },
    isInputOpen: true,
  });
  await leaking.waitForOutput(/ready/);
  const whole = async () =>
    waitFor("the probe", () => {
      const figures = processFigures(leaking.pid, directory.path);
      return figures.heap !== undefined && figures;
    });
  const before = await whole();
  leaking.write("leak\n");
  await leaking.waitForOutput(/leaked/);
  const after = await waitFor("the leak", () => {
    const figures = processFigures(leaking.pid, directory.path);
    return figures.heap! > before.heap! + 20 && figures;
  });
  assert.ok(after.memory! > before.memory! + 20, "memory");
  assert.equal(after.files! - before.files!, 3, "files");
  assert.ok(after.sockets! >= before.sockets! + 2, "sockets");
  assert.ok(after.handles! >= before.handles! + 4, "handles");
  assert.equal(after.children! - before.children!, 1, "children");
  assert.equal(after.warnings! - before.warnings!, 1, "warnings");
});
