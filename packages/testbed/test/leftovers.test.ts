import assert from "node:assert/strict";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { runProgram, startProgram, temporaryDirectory, waitFor } from "@skytools/testbed";
import { createDataDirectory } from "#src/data-directory.js";
import { findBinaries } from "#src/postgres-binaries.js";
import { identifyProcess, processStartTime } from "#src/process-identity.js";
import { type RunOwner, runPrefix, writeOwner } from "#src/run-owner.js";
import { serverAccount } from "#src/server-account.js";
import { ServerProcess } from "#src/server-process.js";
import { sweepLeftovers } from "#src/sweep.js";

const fixture = fileURLToPath(new URL("./fixture/cluster-and-program.js", import.meta.url));

interface Started {
  readonly run: string;
  readonly data: string;
  readonly log: string;
  readonly postmaster: number;
  readonly program: number;
}

const isAlive = (pid: number) => processStartTime(pid) !== undefined;
const parseStarted = (stdout: string) => JSON.parse(stdout) as Started;

function assertAllDead(started: Started): Promise<unknown> {
  return waitFor(
    "the end of server and program",
    () => !isAlive(started.postmaster) && !isAlive(started.program) && !existsSync(started.data),
  );
}

test("a process that exits without disposing takes its clusters and programs along", async () => {
  const { code, stdout } = await runProgram(fixture, ["exit"]);
  const started = parseStarted(stdout);
  assert.equal(code, 0);
  await assertAllDead(started);
  assert.ok(!existsSync(started.run));
});

test("a process that fails keeps the server's log and names it, for a day", async () => {
  const { code, stdout, stderr } = await runProgram(fixture, ["fail"]);
  const started = parseStarted(stdout);
  assert.equal(code, 1);
  await assertAllDead(started);
  assert.match(stderr, new RegExp(`logs kept: ${join(started.run, started.log)}`));
  assert.deepEqual(readdirSync(started.run).sort(), [started.log, "owner.json"]);
  sweepLeftovers(join(started.run, ".."));
  assert.ok(existsSync(started.run));
  rmSync(started.run, { recursive: true });
});

test("SIGKILL of the process ends its servers and programs; the next run removes the rest", async () => {
  await using running = startProgram(fixture, ["wait"]);
  await running.waitForOutput(/\n/);
  const started = parseStarted(running.stdoutText());
  assert.ok(isAlive(started.postmaster) && isAlive(started.program));
  running.signal("SIGKILL");
  await assertAllDead(started);
  const { code } = await runProgram(fixture, ["exit"]);
  assert.equal(code, 0);
  // Another process may be sweeping it at this moment.
  await waitFor("the rest to be gone", () => !existsSync(started.run));
});

test("what is kept on purpose goes on, and is not swept", async () => {
  const { stdout } = await runProgram(fixture, ["keep"]);
  const started = parseStarted(stdout);
  sweepLeftovers(join(started.run, ".."));
  assert.ok(existsSync(started.data) && isAlive(started.postmaster) && isAlive(started.program));
  process.kill(started.program, "SIGKILL");
  process.kill(started.postmaster, "SIGQUIT");
  await waitFor("the end of the server", () => !isAlive(started.postmaster));
  rmSync(started.run, { recursive: true });
});

/** Owners that no process is: the number is taken, by a process that was started at another time. */
const gone: RunOwner = { pid: process.pid, startTime: "long ago" };

function makeRun(base: string, owner?: RunOwner): string {
  const path = mkdtempSync(join(base, runPrefix));
  chmodSync(path, 0o711);
  if (owner !== undefined) writeOwner(path, owner);
  return path;
}

test("the sweep goes by number and start time of the owner, and by what it kept", async () => {
  await using base = await temporaryDirectory("sweep");
  const swept = makeRun(base.path, gone);
  const others = [
    makeRun(base.path, identifyProcess(process.pid)),
    makeRun(base.path, { ...gone, keep: "forever" }),
    makeRun(base.path, { ...gone, keep: "failed" }),
    makeRun(base.path),
  ];
  const oldFailure = makeRun(base.path, { ...gone, keep: "failed" });
  const dayBefore = Date.now() / 1000 - 25 * 3600;
  utimesSync(oldFailure, dayBefore, dayBefore);
  sweepLeftovers(base.path);
  assert.ok(!existsSync(swept) && !existsSync(oldFailure));
  assert.deepEqual(readdirSync(base.path).sort(), others.map((path) => basename(path)).sort());
});

test("the sweep ends a leftover server, but no process that merely has its number", async () => {
  await using base = await temporaryDirectory("sweep");
  chmodSync(base.path, 0o711);
  const path = makeRun(base.path, gone);
  const clusterDir = join(path, "c1");
  const data = join(clusterDir, "data");
  mkdirSync(clusterDir);
  const account = serverAccount();
  if (account.isOther) chownSync(clusterDir, account.uid, account.gid);
  const { binDir } = findBinaries();
  createDataDirectory(binDir, data, false);
  appendFileSync(
    join(data, "postgresql.conf"),
    `listen_addresses = ''\nunix_socket_directories = '${clusterDir}'\n`,
  );
  const server = new ServerProcess(binDir, data, join(path, "c1.log"));
  assert.ok(await server.becomesReady(60_000));

  await using innocent = startProgram("sleep", ["1000"]);
  mkdirSync(join(path, "c2", "data"), { recursive: true });
  writeFileSync(join(path, "c2", "data", "postmaster.pid"), `${innocent.pid}\n`);

  sweepLeftovers(base.path);
  await waitFor("the end of the server", () => !server.isRunning);
  assert.ok(innocent.isRunning);
  assert.ok(!existsSync(path));
});
