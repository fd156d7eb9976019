import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { runProgram, startProgram, waitFor } from "@skytools/testbed";

const main = fileURLToPath(new URL("../dist/main.js", import.meta.url));
const small = ["--rows", "20000", "--seconds", "2", "--writers", "2"];

/** Directory of the demo, as its output names it. */
const demoDirectory = (stdout: string) => String(/^\$ cd (.+)$/m.exec(stdout)?.[1]);

test("the demo ends with identical databases, and --keep leaves a set that its script stops", async () => {
  await using demo = startProgram(main, [...small, "--keep"]);
  const { code } = await demo.exit;
  const stdout = demo.stdoutText();
  assert.equal(code, 0, stdout + demo.stderrText());
  assert.match(stdout, /^everything matched/m);
  assert.match(stdout, /agrees for all 5 tables/);

  const directory = demoDirectory(stdout);
  assert.ok(existsSync(`${directory}/bank_leaf.pid`) && existsSync(`${directory}/pgqd.pid`));
  const script = String(/^\$ sh (.+)$/m.exec(stdout)?.[1]);
  const stopped = await runProgram("/bin/sh", [script]);
  assert.equal(stopped.code, 0, stopped.stderr);
  assert.ok(!existsSync(dirname(directory)));
});

test("an interrupted demo leaves nothing behind", async () => {
  await using demo = startProgram(main, small);
  await demo.waitForOutput(/^\$ londiste3 leaf.ini add-table/m);
  demo.signal("SIGINT");
  assert.deepEqual(await demo.exit, { code: 130, signal: null });
  const directory = demoDirectory(demo.stdoutText());
  await waitFor("the demo's directory to go", () => !existsSync(dirname(directory)));
});

test("a wrong option is told with the usage, and help is no failure", async () => {
  const wrong = await runProgram(main, ["--rows", "many"]);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /--rows must be a positive number: many\nusage: /);
  const help = await runProgram(main, ["--help"]);
  assert.equal(help.code, 0);
  assert.match(help.stdout, /--keep/);
});
