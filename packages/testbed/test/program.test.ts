import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { runProgram, startProgram, temporaryDirectory, waitFor } from "@skytools/testbed";
import { processStartTime } from "#src/process-identity.js";

const node = process.execPath;
const isAlive = (pid: number) => processStartTime(pid) !== undefined;

test("a program's exit code, outputs, input and environment", async () => {
  const result = await runProgram(
    node,
    [
      "-e",
      "process.stdin.pipe(process.stdout); console.error(process.env.COLOUR, process.env.HOME); process.exitCode = 3",
    ],
    { env: { COLOUR: "green", HOME: undefined }, input: "from the test" },
  );
  assert.deepEqual(result, { code: 3, stdout: "from the test", stderr: "green undefined\n" });
});

test("a JavaScript file is run by this Node, a signal's end is told as a shell does", async () => {
  await using dir = await temporaryDirectory("program");
  const file = join(dir.path, "ends.mjs");
  await writeFile(file, "console.log(process.version); process.kill(process.pid, 'SIGKILL')");
  const result = await runProgram(file, []);
  assert.deepEqual(result, { code: 137, stdout: `${process.version}\n`, stderr: "" });
});

test("a program that cannot be started is an error", async () => {
  await assert.rejects(runProgram("/no/such/program", []), /ENOENT/);
});

test("waiting for output finds a match, and says what was seen when there is none", async () => {
  await using running = startProgram(node, [
    "-e",
    "process.on('SIGHUP', () => { console.error('bye'); process.exit(7) }); console.log('ready on 42'); setInterval(() => {}, 1e6)",
  ]);
  const match = await running.waitForOutput(/ready on (\d+)/);
  assert.equal(match[1], "42");
  await assert.rejects(
    running.waitForOutput(/never/, { timeoutMs: 50 }),
    /timed out.*\/never\/[\s\S]*ready on 42/,
  );
  running.signal("SIGHUP");
  await assert.rejects(running.waitForOutput(/never/), /ended \(code 7\)[\s\S]*bye/);
  assert.deepEqual(await running.exit, { code: 7, signal: null });
});

test("disposal takes children along, detached ones too; a program run to its end leaves its daemon", async () => {
  const spawnDaemon =
    "const c = require('child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], " +
    "{detached: true, stdio: 'ignore'}); c.unref(); console.log('child ' + c.pid + '.');";
  const daemonPid = (text: string) => Number(/child (\d+)\./.exec(text)?.[1]);
  let pid: number;
  {
    await using running = startProgram(node, ["-e", `${spawnDaemon} setInterval(() => {}, 1e6)`]);
    await running.waitForOutput(/child \d+\./);
    pid = daemonPid(running.stdoutText());
    assert.ok(isAlive(pid));
  }
  await waitFor("the end of the child", () => !isAlive(pid));
  const { stdout } = await runProgram(node, ["-e", spawnDaemon]);
  assert.ok(isAlive(daemonPid(stdout)));
  process.kill(daemonPid(stdout), "SIGKILL");
});
