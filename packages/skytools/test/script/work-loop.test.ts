import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { WorkerDirectory } from "../fixture/worker-directory.ts";

test("rounds go on while busy, end when idle with loop_delay 0; log and statistics line by line", async () => {
  await using worker = await WorkerDirectory.make("loop_delay = 0\nbusy_rounds = 2\n");
  const { code, stdout, stderr } = await worker.run("w.ini", "work");
  assert.equal(code, 0);
  assert.equal(stdout, "");
  assert.deepEqual(worker.log(), [
    "INFO started",
    "INFO round 1 hello",
    "INFO {round: 1, duration: 2.0}",
    "INFO round 2 hello",
    "INFO {round: 2, duration: 2.0}",
    "INFO shutdown",
  ]);
  assert.equal(worker.read("w.log"), stderr);
  assert.equal(worker.read("w.pid"), undefined);
});

test("a loop may sleep for another time than loop_delay", async () => {
  await using worker = await WorkerDirectory.make("loop_delay = 3600\npause_ms = 1\n");
  await using program = worker.start(["w.ini", "work"]);
  await worker.waitForLog("INFO round 3 hello");
  program.signal("SIGINT");
  assert.deepEqual(await program.exit, { code: 0, signal: null });
});

test("a negative loop_delay means one round", async () => {
  await using worker = await WorkerDirectory.make("loop_delay = -1\nbusy_rounds = 5\n");
  assert.equal((await worker.run("w.ini", "work", "-q")).code, 0);
  assert.equal(worker.read("w.log"), "");
  await worker.run("w.ini", "work");
  assert.deepEqual(
    worker.log().filter((line) => line.startsWith("INFO round")),
    ["INFO round 1 hello"],
  );
});

test("a failed round drops state, is logged, then onError, and the loop goes on", async () => {
  await using worker = await WorkerDirectory.make(
    "failing_rounds = 2\nexception_sleep = 0.01\nloop_delay = 60\n",
  );
  await using program = worker.start(["w.ini", "work"]);
  await worker.waitForLog("INFO {round: 3, duration: 2.0}");
  program.signal("SIGINT");
  assert.deepEqual(await program.exit, { code: 0, signal: null });
  assert.deepEqual(worker.log(), [
    "INFO started",
    "INFO round 1 hello",
    "INFO reset",
    "ERROR Job w crashed: round 1 is bad",
    "INFO onError",
    "INFO round 2 hello",
    "INFO reset",
    "ERROR Job w crashed: round 2 is bad",
    "INFO onError",
    "INFO round 3 hello",
    "INFO Job w works again",
    "INFO {round: 3, duration: 2.0}",
    "INFO got SIGINT, ending after this round",
    "INFO shutdown",
  ]);
});

test("a quiet failure is a warning", async () => {
  const settings = "failing_rounds = 1\nexception_sleep = 0\nexception_quiet = TypeError\n";
  await using worker = await WorkerDirectory.make(settings);
  await using program = worker.start(["w.ini", "work"]);
  await worker.waitForLog("INFO Job w works again");
  assert.ok(worker.log().includes("WARNING Job w crashed: round 1 is bad"));
  assert.equal(program.isRunning, true);
});

test("without a loop to go on with, a failure ends the program", async () => {
  await using worker = await WorkerDirectory.make("failing_rounds = 1\nloop_delay = 0\n");
  assert.equal((await worker.run("w.ini", "work")).code, 1);
  assert.deepEqual(worker.log().at(-1), "INFO onError");
  assert.equal(worker.read("w.pid"), undefined);
});

test("a failure at startup ends the program", async () => {
  await using worker = await WorkerDirectory.make("startup_error = not today\n");
  assert.equal((await worker.run("w.ini", "work")).code, 1);
  assert.deepEqual(worker.log(), ["ERROR Job w crashed: not today"]);
  assert.equal(worker.read("w.pid"), undefined);
});

test("SIGHUP brings new values at once, forgets deleted ones, and survives bad files", async () => {
  await using worker = await WorkerDirectory.make("loop_delay = 1000\nbusy_rounds = 0\n");
  await using program = worker.start(["w.ini", "work"]);
  await worker.waitForLog("INFO {round: 1, duration: 2.0}");

  const head = "[worker]\nlogfile = w.log\npidfile = w.pid\n";
  worker.write("w.ini", `${head}greeting = moin\nloop_delay = 2000\n`);
  program.signal("SIGHUP");
  await worker.waitForLog("INFO {round: 2, duration: 2.0}");
  assert.deepEqual(worker.log().slice(3), [
    "INFO Config reloaded",
    "INFO reloaded moin",
    "INFO round 2 moin",
    "INFO {round: 2, duration: 2.0}",
  ]);

  worker.write("w.ini", `${head}greeting = moin\nloop_delay = never\n`);
  program.signal("SIGHUP");
  await worker.waitForLog("INFO {round: 3, duration: 2.0}");
  assert.ok(
    worker
      .log()
      .includes(
        'ERROR Config not reloaded, the old one stays: w.ini:5: [worker] loop_delay: "never" is not a number',
      ),
  );

  rmSync(join(worker.path, "w.ini"));
  program.signal("SIGHUP");
  await worker.waitForLog("INFO {round: 4, duration: 2.0}");
  assert.ok(
    worker.log().includes("WARNING Config not reloaded, the old one stays: Config file not found: w.ini"),
  );
  assert.equal(worker.log().filter((line) => line === "INFO Config reloaded").length, 1);
});

test("the log file is put aside by size, and SIGHUP opens a moved one anew", async () => {
  await using worker = await WorkerDirectory.make(
    "loop_delay = 0\nbusy_rounds = 20\nlog_size = 400\nlog_count = 2\n",
  );
  assert.equal((await worker.run("w.ini", "work")).code, 0);
  for (const name of ["w.log", "w.log.1", "w.log.2"]) {
    const text = worker.read(name);
    assert.ok(text !== undefined && text.length > 0 && text.length <= 400, name);
    assert.ok(text.endsWith("\n"), name);
  }
  assert.equal(worker.read("w.log.3"), undefined);
  assert.match(worker.read("w.log")!, /INFO shutdown\n$/);
});

test("log lines as JSON, and in a format of one's own", async () => {
  await using worker = await WorkerDirectory.make("loop_delay = 0\nlog_format = json\n");
  const { stderr } = await worker.run("w.ini", "work");
  const records = stderr
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(
    records.map((record) => record.msg),
    ["started", "round 1 hello", "{round: 1, duration: 2.0}", "shutdown"],
  );
  assert.deepEqual(records[2]?.statistics, { round: 1, duration: 2 });
  worker.configure(
    "loop_delay = 0\nlogfmt_console = %%(name)s|%%(levelname)-5s|%%(message)s\nlogfmt_console_verbose = V %%(message)s\n",
  );
  assert.match((await worker.run("w.ini", "work")).stderr, /^w\|INFO \|started\n/);
  assert.match((await worker.run("w.ini", "-v", "work")).stderr, /^V started\n/);
});

test("a log that cannot be opened is one clear error", async () => {
  await using worker = await WorkerDirectory.make();
  assert.deepEqual(await worker.run("w.ini", "work", "--set", "logfile=no/where.log"), {
    code: 1,
    stdout: "",
    stderr:
      "worker: w.ini: [worker] logfile: cannot open no/where.log for writing (ENOENT) (given with --set)\nHINT: Create the directory first.\n",
  });
});
