import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { openSync, statSync } from "node:fs";
import { test } from "node:test";
import { isJournalStream, ServiceNotifier } from "#src/index.js";
import { DatagramReceiver } from "../fixture/datagram-receiver.ts";
import { WorkerDirectory } from "../fixture/worker-directory.ts";

const skip = !DatagramReceiver.isPossible("systemd-notify") && "needs perl and systemd-notify";

test("systemd is told of start, reload, trouble, life and stop, in this order", { skip }, async () => {
  await using worker = await WorkerDirectory.make(
    "loop_delay = 0.05\nexception_sleep = 0.01\nfailing_rounds = 1\n",
  );
  await using receiver = await DatagramReceiver.bind(`${worker.path}/notify.socket`);
  await using program = worker.start(["w.ini", "work"], {
    NOTIFY_SOCKET: receiver.path,
    WATCHDOG_USEC: "100000",
  });
  const lines = () => receiver.messages().flatMap((message) => message.split("\n"));
  const waitForLine = (pattern: RegExp) =>
    receiver.waitFor(String(pattern), () => lines().some((line) => pattern.test(line)));
  await waitForLine(/^STATUS=\{round: \d+, duration: 2\.0\}$/);
  await waitForLine(/^WATCHDOG=1$/);
  program.signal("SIGHUP");
  await worker.waitForLog("INFO Config reloaded");
  await waitForLine(/^RELOADING=1$/);
  program.signal("SIGINT");
  assert.deepEqual(await program.exit, { code: 0, signal: null });
  await waitForLine(/^STOPPING=1$/);
  const states = lines().filter((line) => /^(READY|RELOADING|STOPPING)=/.test(line));
  assert.deepEqual(states, ["READY=1", "RELOADING=1", "READY=1", "STOPPING=1"]);
  assert.ok(
    lines().includes("STATUS=failing, 1 in a row: Job w crashed: round 1 is bad"),
    lines().join("\n"),
  );
  assert.ok(lines().some((line) => /^MONOTONIC_USEC=\d+$/.test(line)));
});

test("a start that fails never says that it is ready", { skip }, async () => {
  await using worker = await WorkerDirectory.make("startup_error = no queue\n");
  await using receiver = await DatagramReceiver.bind(`${worker.path}/notify.socket`);
  await using program = worker.start(["w.ini", "work"], { NOTIFY_SOCKET: receiver.path });
  assert.equal((await program.exit).code, 1);
  assert.deepEqual(receiver.messages(), []);
});

test("without systemd-notify the daemon works and says so once", async () => {
  await using worker = await WorkerDirectory.make("loop_delay = 0\nbusy_rounds = 5\n");
  await using program = worker.start(["w.ini", "work"], { NOTIFY_SOCKET: "/nowhere", PATH: worker.path });
  assert.equal((await program.exit).code, 0);
  const complaint = "WARNING systemd is not told anything: systemd-notify cannot be started";
  assert.equal(worker.log().filter((line) => line === complaint).length, 1);
});

test("the variables of systemd are taken, and a watchdog of another process is not ours", () => {
  const env: NodeJS.ProcessEnv = {
    NOTIFY_SOCKET: "/x",
    WATCHDOG_USEC: "1",
    WATCHDOG_PID: "1",
    HOME: "/root",
  };
  ServiceNotifier.detect(env);
  assert.deepEqual(env, { HOME: "/root" });
});

test("a stream is the journal only if the variable names it", async () => {
  await using worker = await WorkerDirectory.make("");
  worker.write("stream", "");
  const path = `${worker.path}/stream`;
  const { dev, ino } = statSync(path, { bigint: true });
  const descriptor = openSync(path, "a");
  assert.equal(isJournalStream(descriptor, { JOURNAL_STREAM: `${dev}:${ino}` }), true);
  assert.equal(isJournalStream(descriptor, { JOURNAL_STREAM: `${dev}:${ino + 1n}` }), false);
  assert.equal(isJournalStream(descriptor, {}), false);
});

test("in the journal lines carry their priority, and no time or process id", async () => {
  await using worker = await WorkerDirectory.make("loop_delay = -1\nfailing_rounds = 1\n");
  worker.write("journal", "");
  const stderr = openSync(`${worker.path}/journal`, "a");
  const { dev, ino } = statSync(`${worker.path}/journal`, { bigint: true });
  const program = new URL("../fixture/worker.js", import.meta.url).pathname;
  const child = spawn(process.execPath, [program, "w.ini", "work"], {
    cwd: worker.path,
    stdio: ["ignore", "ignore", stderr],
    env: { ...process.env, JOURNAL_STREAM: `${dev}:${ino}` },
  });
  await once(child, "exit");
  assert.deepEqual(worker.read("journal")?.split("\n").slice(0, 4), [
    "<6>INFO started",
    "<6>INFO round 1 hello",
    "<6>INFO reset",
    "<3>ERROR Job w crashed: round 1 is bad",
  ]);
});
