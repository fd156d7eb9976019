import assert from "node:assert/strict";
import { existsSync, readdirSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { waitFor } from "@skytools/testbed";
import { isAlive, WorkerDirectory } from "../fixture/worker-directory.ts";

const sleepy = "loop_delay = 1000\n";

test("-d returns when the background process has its pidfile; -s ends it after its round", async () => {
  await using worker = await WorkerDirectory.make(sleepy);
  assert.deepEqual(await worker.run("w.ini", "work", "-d"), { code: 0, stdout: "", stderr: "" });
  const text = worker.read("w.pid");
  assert.match(text ?? "", /^\d+$/);
  assert.ok(isAlive(Number(text)));
  await worker.waitForLog("INFO {round: 1, duration: 2.0}");
  assert.deepEqual(await worker.run("w.ini", "-s"), { code: 0, stdout: "", stderr: "" });
  await waitFor("pidfile to go", () => worker.read("w.pid") === undefined);
  await waitFor("process to end", () => !isAlive(Number(text)));
  assert.deepEqual(worker.log().slice(-2), ["INFO got SIGINT, ending after this round", "INFO shutdown"]);
});

test("a background process that fails at startup is a failure in the foreground, which says why", async () => {
  await using worker = await WorkerDirectory.make(`${sleepy}startup_error = no queue\n`);
  const { code, stdout, stderr } = await worker.run("w.ini", "work", "-d");
  assert.deepEqual({ code, stdout }, { code: 1, stdout: "" });
  assert.match(stderr, /^\S+ \S+ \d+ ERROR Job w crashed: no queue\n$/);
  assert.equal(worker.read("w.pid"), undefined);
});

test("what is wrong before going to the background is said in the foreground", async () => {
  await using worker = await WorkerDirectory.make(sleepy);
  const noPidfile = await worker.run("w.ini", "work", "-d", "--set", "pidfile=");
  assert.equal(noPidfile.code, 1);
  assert.match(noPidfile.stderr, /ERROR Daemon needs pidfile\nHINT: /);

  const noDirectory = await worker.run("w.ini", "work", "-d", "--set", "pidfile=no/where.pid");
  assert.equal(noDirectory.code, 1);
  assert.match(noDirectory.stderr, /ERROR cannot write pidfile no\/where\.pid \(ENOENT\)\n/);

  worker.write("w.pid", String(process.pid));
  const busy = await worker.run("w.ini", "work", "-d");
  assert.equal(busy.code, 1);
  assert.match(
    busy.stderr,
    new RegExp(`ERROR Pidfile exists, another process running\\? \\(w\\.pid, pid ${process.pid}\\)\n`),
  );

  const notForThis = await worker.run("w.ini", "show-all", "-d");
  assert.equal(notForThis.code, 2);
  assert.match(notForThis.stderr, /option --daemon is not for command "show-all"/);
});

test("a process that SIGKILL ended leaves a stale pidfile, which the next start takes over", async () => {
  await using worker = await WorkerDirectory.make(`${sleepy}busy_rounds = 5\n`);
  await using program = worker.start(["w.ini", "work"], { SKYTOOLS_CRASH_POINT: "worker.round=kill:3" });
  assert.deepEqual(await program.exit, { code: null, signal: "SIGKILL" });
  assert.deepEqual(worker.log().at(-1), "INFO {round: 2, duration: 2.0}");
  assert.equal(worker.read("w.pid"), String(program.pid));
  const again = await worker.run("w.ini", "work", "-d");
  assert.equal(again.code, 0);
  assert.match(again.stderr, /WARNING Ignoring stale pidfile w\.pid\n/);
  assert.notEqual(worker.read("w.pid"), String(program.pid));
});

test("a number that another process has got since, as after a crash of the machine, keeps no start away and is sent no signal", {
  skip: !existsSync("/proc/self/stat"),
}, async () => {
  await using worker = await WorkerDirectory.make(sleepy);
  await using stranger = worker.startOther("sleep", ["1000"]);
  const longAgo = new Date(Date.now() - 3600_000);
  const leave = (pid: number) => {
    worker.write("w.pid", String(pid));
    utimesSync(join(worker.path, "w.pid"), longAgo, longAgo);
  };
  leave(stranger.pid);
  assert.match((await worker.run("w.ini", "-k")).stderr, /w\.pid exists, but process not running/);
  const started = await worker.run("w.ini", "work", "-d");
  assert.equal(started.code, 0, started.stderr);
  assert.match(started.stderr, /WARNING Ignoring stale pidfile w\.pid\n/);
  assert.ok(stranger.isRunning);
  // So it looks of the writer itself when the clock was set.
  leave(Number(worker.read("w.pid")));
  assert.match((await worker.run("w.ini", "work", "-d")).stderr, /Pidfile exists, another process running\?/);
});

test("a start that dies with the background process that it has begun does not keep the next one away", async () => {
  await using worker = await WorkerDirectory.make(sleepy);
  await using program = worker.start(["w.ini", "work", "-d"], {
    SKYTOOLS_CRASH_POINT: "daemon.started=kill",
  });
  assert.deepEqual(await program.exit, { code: null, signal: "SIGKILL" });
  // Without its parent it starts itself once more, in the same environment, and dies at the same point.
  await program[Symbol.asyncDispose]();
  const again = await worker.run("w.ini", "work", "-d");
  assert.equal(again.code, 0, again.stderr);
  await worker.waitForLog("INFO {round: 1, duration: 2.0}");
});

test("a start that dies at any moment of a pidfile, new or taken over, does not keep the next one away", async () => {
  await using worker = await WorkerDirectory.make(sleepy);
  const changed = "file.changed=kill";
  const named = "file.named=kill";
  for (const point of [changed, named, changed, `${changed}:2`, named, `${named}:2`]) {
    await using program = worker.start(["w.ini", "work"], { SKYTOOLS_CRASH_POINT: point });
    assert.deepEqual(await program.exit, { code: null, signal: "SIGKILL" });
  }
  const again = await worker.run("w.ini", "work", "-d");
  assert.equal(again.code, 0, again.stderr);
  await worker.waitForLog("INFO {round: 1, duration: 2.0}");
  const left = readdirSync(worker.path).filter((name) => name.startsWith("w.pid"));
  assert.deepEqual(left, ["w.pid"], "what the killed ones had begun is gone");
});

test("a background process that is killed before it has started is a failure in the foreground, which says so", async () => {
  await using worker = await WorkerDirectory.make(sleepy);
  // The foreground process writes no pidfile.
  await using program = worker.start(["w.ini", "work", "-d"], { SKYTOOLS_CRASH_POINT: "file.changed=kill" });
  assert.deepEqual(await program.exit, { code: 1, signal: null });
  assert.equal(program.stderrText(), "the background process was ended by SIGKILL before it had started\n");
});

for (const [how, outcome] of [
  ["exit", { code: 1, signal: null }],
  ["throw:2", { code: 1, signal: null }],
] as const) {
  test(`a crash point can ${how}`, async () => {
    await using worker = await WorkerDirectory.make("loop_delay = 0\nbusy_rounds = 3\n");
    await using program = worker.start(["w.ini", "work"], { SKYTOOLS_CRASH_POINT: `worker.round=${how}` });
    assert.deepEqual(await program.exit, outcome);
    assert.equal(worker.read("w.pid"), undefined);
  });
}

test("-k ends the process at once, by the signal, without its pidfile", async () => {
  await using worker = await WorkerDirectory.make(`${sleepy}stubborn_ms = 100000\n`);
  await using program = worker.start(["w.ini", "work"]);
  await worker.waitForLog("INFO round 1 hello");
  assert.equal((await worker.run("w.ini", "-k")).code, 0);
  assert.deepEqual(await program.exit, { code: null, signal: "SIGTERM" });
  assert.equal(worker.read("w.pid"), undefined);
  assert.deepEqual(worker.log().slice(2), ["WARNING got SIGTERM, ending at once"]);
});

test("a second SIGINT within a second ends a round that does not", async () => {
  await using worker = await WorkerDirectory.make(`${sleepy}stubborn_ms = 100000\n`);
  await using program = worker.start(["w.ini", "work"]);
  await worker.waitForLog("INFO round 1 hello");
  program.signal("SIGINT");
  await worker.waitForLog("INFO got SIGINT, ending after this round");
  // One may come late, but then the next one comes within a second of it.
  await waitFor("its end", () => {
    program.signal("SIGINT");
    return !program.isRunning;
  });
  assert.deepEqual(await program.exit, { code: 1, signal: null });
  assert.equal(worker.log().at(-1), "WARNING got SIGINT twice, ending at once");
  assert.equal(worker.read("w.pid"), undefined);
});

test("-r reaches the process", async () => {
  await using worker = await WorkerDirectory.make(sleepy);
  await using program = worker.start(["w.ini", "work"]);
  await worker.waitForLog("INFO {round: 1, duration: 2.0}");
  assert.equal((await worker.run("w.ini", "-r")).code, 0);
  await worker.waitForLog("INFO Config reloaded");
  assert.equal(program.isRunning, true);
});

test("a signal that reaches nobody is a warning, exit 0", async () => {
  await using worker = await WorkerDirectory.make();
  const absent = await worker.run("w.ini", "-s");
  assert.equal(absent.code, 0);
  assert.match(absent.stderr, /WARNING Pidfile w\.pid does not exist, process not running\n/);
  worker.write("w.pid", "");
  assert.match(
    (await worker.run("w.ini", "-s")).stderr,
    /WARNING Pidfile w\.pid exists, but process not running\n/,
  );
  const none = await worker.run("w.ini", "-s", "--set", "pidfile=");
  assert.equal(none.code, 0);
  assert.match(none.stderr, /WARNING No pidfile configured/);
});

test("administrative commands exclude each other, not the worker, and -k means the worker", async () => {
  await using worker = await WorkerDirectory.make(sleepy);
  assert.equal((await worker.run("w.ini", "work", "-d")).code, 0);
  const pid = Number(worker.read("w.pid"));
  await using waiting = worker.start(["w.ini", "wait"]);
  await worker.waitForLog("INFO waiting");
  assert.equal(worker.read("w.pid.admin"), String(waiting.pid));
  const second = await worker.run("w.ini", "wait");
  assert.equal(second.code, 1);
  assert.match(
    second.stderr,
    /ERROR Pidfile exists, another process running\? \(w\.pid\.admin, pid \d+\)\nHINT: .* wait until it has ended\.\n/,
  );
  await worker.run("w.ini", "wait", "-k");
  await waitFor("the worker to end", () => !isAlive(pid));
  assert.equal(waiting.isRunning, true);
});

test("a command with a pidfile of its own is started, found and stopped by it", async () => {
  await using worker = await WorkerDirectory.make(sleepy);
  assert.equal((await worker.run("w.ini", "copy", "t", "-d")).code, 0);
  const pid = Number(worker.read("w.pid.copy.t"));
  assert.ok(isAlive(pid));
  assert.equal((await worker.run("w.ini", "copy", "t", "-s")).code, 0);
  await waitFor("the copy to end", () => !isAlive(pid));
});

test("Ctrl-C ends a command at once, or lets a polite one finish", async () => {
  await using worker = await WorkerDirectory.make();
  await using abrupt = worker.start(["w.ini", "wait"]);
  await worker.waitForLog("INFO waiting");
  abrupt.signal("SIGINT");
  assert.deepEqual(await abrupt.exit, { code: null, signal: "SIGINT" });
  assert.equal(worker.read("w.pid.admin"), undefined);
  await using polite = worker.start(["w.ini", "wait-politely"]);
  await polite.waitForOutput(/INFO waiting/);
  polite.signal("SIGINT");
  assert.deepEqual(await polite.exit, { code: 3, signal: null });
  assert.equal(worker.log().at(-1), "INFO left politely");
});

test("an error that nobody waits for is logged before the process ends", async () => {
  await using worker = await WorkerDirectory.make();
  const { code } = await worker.run("w.ini", "fail", "later");
  assert.equal(code, 1);
  assert.deepEqual(worker.log(), ["CRITICAL Job w crashed: nobody waits"]);
});
