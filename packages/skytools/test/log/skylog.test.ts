import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { hostname } from "node:os";
import { after, test } from "node:test";
import { moduleDatabase, startCluster, waitFor } from "@skytools/testbed";
import { ConfigError, Database } from "#src/index.js";
import { readSkylog } from "#src/log/skylog/skylog.js";
import { DatagramReceiver } from "../fixture/datagram-receiver.ts";
import { WorkerDirectory } from "../fixture/worker-directory.ts";

const oneRound = "loop_delay = -1\nuse_skylog = 1\nskylog_locations = none.ini, sky.ini\n";

/** A skylog.ini with one handler beside the console. */
function skylog(handlerClass: string, args: string, more = ""): string {
  return `[loggers]
keys = root
[handlers]
keys = stderr,other
[formatters]
keys = short
[logger_root]
level = DEBUG
handlers = stderr,other
[handler_stderr]
class = StreamHandler
args = (sys.stderr,)
formatter = short
[formatter_short]
format = %(job_name)s %(levelname)s %(message)s
[handler_other]
class = ${handlerClass}
args = ${args}
${more}`;
}

async function udpReceiver() {
  const socket = createSocket("udp4");
  const messages: string[] = [];
  socket.on("message", (bytes) => messages.push(bytes.toString()));
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  return { port, messages, [Symbol.dispose]: () => socket.close() };
}

test("console, file and logfile get what their handlers ask for", async () => {
  await using worker = await WorkerDirectory.make(oneRound);
  worker.write(
    "sky.ini",
    skylog("skylog.EasyRotatingFileHandler", "('%(job_name)s.sky', 10*1024)", "level = WARNING\n"),
  );
  const { code, stderr } = await worker.run("w.ini", "work", "--set", "failing_rounds=1");
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^w INFO started\nw INFO round 1 hello\nw INFO reset\nw ERROR Job w crashed: round 1 is bad\n/,
  );
  assert.equal(worker.read("w.sky"), "Job w crashed: round 1 is bad\n");
  assert.equal(worker.log()[0], "INFO started");
});

test("a logger of the job's name stands in front of root, or in its place", async () => {
  await using worker = await WorkerDirectory.make(oneRound);
  const named = (settings: string) =>
    skylog("FileHandler", "('own.log',)")
      .replace("keys = root", "keys = root,own,near")
      .replace("handlers = stderr,other", "handlers = stderr")
      .concat(`[logger_own]\nqualname = w\nlevel = ERROR\nhandlers = other\n${settings}`)
      .concat("[logger_near]\nqualname = wo\nhandlers = other\n");
  worker.write("sky.ini", named(""));
  const both = await worker.run("w.ini", "work", "--set", "failing_rounds=1");
  assert.equal(both.stderr, "w ERROR Job w crashed: round 1 is bad\n");
  assert.equal(worker.read("own.log"), "Job w crashed: round 1 is bad\n");
  worker.write("sky.ini", named("propagate = 0\n"));
  assert.equal((await worker.run("w.ini", "work", "--set", "failing_rounds=1")).stderr, "");
});

test("JSON lines are a formatter that a handler can ask for", async () => {
  await using worker = await WorkerDirectory.make(oneRound);
  const file = skylog(
    "FileHandler",
    "('lines.json',)",
    "formatter = json\n[formatter_json]\nclass = JsonFormatter\n",
  );
  worker.write("sky.ini", file.replace("keys = short", "keys = short,json"));
  await worker.run("w.ini", "work");
  const [first] = (worker.read("lines.json") ?? "").split("\n");
  const { level, msg, job, service } = JSON.parse(first ?? "");
  assert.deepEqual(
    { level, msg, job, service },
    { level: "info", msg: "started", job: "w", service: "worker" },
  );
});

test("UDP log server: one JSON object a datagram", async () => {
  using receiver = await udpReceiver();
  await using worker = await WorkerDirectory.make(oneRound);
  worker.write("sky.ini", skylog("skytools.skylog.UdpLogServerHandler", `('127.0.0.1', ${receiver.port})`));
  await worker.run("w.ini", "work", "--set", `greeting=${"x".repeat(2000)}`);
  await waitFor("four datagrams", () => receiver.messages.length === 4);
  const { timestamp, properties, message, ...rest } = JSON.parse(receiver.messages[1] ?? "");
  assert.match(receiver.messages[1] ?? "", /^\{\n\t"logger": .*\}\n$/s);
  assert.equal(message, `round 1 ${"x".repeat(1016)}`);
  assert.ok(Number.isInteger(timestamp));
  assert.deepEqual(rest, { logger: "skytools.UdpLogServer", level: "INFO", thread: null });
  assert.deepEqual(
    { ...properties, hostaddr: "" },
    { application: "w", apptype: "worker", type: "sys", hostname: hostname(), hostaddr: "" },
  );
});

test("UDP tagged netstrings", async () => {
  using receiver = await udpReceiver();
  await using worker = await WorkerDirectory.make(oneRound);
  worker.write("sky.ini", skylog("skylog.UdpTNetStringsHandler", `('127.0.0.1', ${receiver.port})`));
  await worker.run("w.ini", "work");
  await waitFor("four datagrams", () => receiver.messages.length === 4);
  assert.match(
    receiver.messages[0] ?? "",
    /^\d+:7:created,\d+:[\d.]+\^8:exc_text,0:~9:levelname,4:INFO,7:levelno,2:20#7:message,7:started,5:msecs,.*4:name,1:w,8:hostaddr,.*8:hostname,.*8:job_name,1:w,12:service_name,6:worker,\}$/,
  );
});

test("syslog over UDP: priority of facility and level, host and service, a NUL at the end", async () => {
  using receiver = await udpReceiver();
  await using worker = await WorkerDirectory.make(oneRound);
  const args = `(('127.0.0.1', ${receiver.port}), SysLogHandler.LOG_LOCAL1)`;
  worker.write("sky.ini", skylog("skylog.SysLogHostnameHandler", args));
  await worker.run("w.ini", "work", "--set", "failing_rounds=1");
  await waitFor("all datagrams", () => receiver.messages.length === 5);
  assert.equal(receiver.messages[0], `<142>${hostname()} worker started\0`);
  assert.equal(receiver.messages[3], `<139>${hostname()} worker Job w crashed: round 1 is bad\0`);
});

test("syslog through the socket of this host", {
  skip: !DatagramReceiver.isPossible("logger") && "needs perl and logger",
}, async () => {
  await using worker = await WorkerDirectory.make(oneRound);
  await using receiver = await DatagramReceiver.bind(`${worker.path}/log.socket`);
  worker.write("sky.ini", skylog("handlers.SysLogHandler", `('${receiver.path}', 'daemon')`));
  await worker.run("w.ini", "work");
  await receiver.waitFor("the last line", (messages) => messages.length === 4);
  assert.match(receiver.messages()[0] ?? "", /^<30>.* w\[\d+\]: started$/);
});

const cluster = await startCluster();
after(() => cluster[Symbol.asyncDispose]());

test("log database: first lines, statistics summed up, and what happened while it was away", async () => {
  const connstr = await moduleDatabase(cluster, ["logdb"]);
  await using db = await Database.open(connstr, { autocommit: true });
  const entries = () =>
    db.query<{ text: string }>("select level || ' ' || message as text from log.entry order by entry_id");
  await using worker = await WorkerDirectory.make(oneRound);
  worker.write("sky.ini", skylog("skylog.LogDBHandler", `("${connstr}",)`));
  const settings = ["--set", "busy_rounds=3", "--set", "loop_delay=0"];
  assert.equal((await worker.run("w.ini", "work", ...settings)).code, 0);
  assert.deepEqual(
    (await entries()).map(({ text }) => text),
    [
      "INFO started",
      "INFO round 1 hello",
      "INFO {round: 1, duration: 2.0}",
      "INFO round 2 hello",
      "INFO round 3 hello",
      "INFO shutdown",
      "INFO {round: 5, duration: 4.0}",
    ],
  );
  await db.execute("truncate log.entry; alter function log.add rename to away");
  await using program = worker.start(["w.ini", "work", ...settings, "--set", "loop_delay=60"]);
  await program.waitForOutput(
    /cannot write to the log database: function log\.add\(text, text, text\) does not exist/,
  );
  await db.execute("alter function log.away rename to add");
  await waitFor("the first record", async () => (await entries())[0]?.text === "INFO started");
  program.signal("SIGINT");
  assert.equal((await program.exit).code, 0);
  assert.equal((await entries()).at(-1)?.text, "INFO {round: 5, duration: 4.0}");
});

for (const [what, file, expected] of [
  ["no list", "[loggers]\n", "sky.ini: [handlers] keys: required key is not set"],
  [
    "an unknown class",
    skylog("skylog.SmtpHandler", "()"),
    'sky.ini:17: [handler_other] class: unknown handler class "skylog.SmtpHandler"',
  ],
  ["code", skylog("StreamHandler", "(open('x'),)"), 'sky.ini:18: [handler_other] args: lacks "," or ")"'],
  [
    "another stream",
    skylog("StreamHandler", "(sys.stdin,)"),
    "sky.ini:18: [handler_other] args: has a stream that is neither sys.stderr nor sys.stdout",
  ],
  [
    "no port",
    skylog("UdpLogServerHandler", "('h',)"),
    "sky.ini:18: [handler_other] args: lacks argument 2 as a whole number",
  ],
  [
    "no host",
    skylog("UdpTNetStringsHandler", "(5,)"),
    "sky.ini:18: [handler_other] args: lacks argument 1, the host, as text in quotes",
  ],
  [
    "a bad facility",
    skylog("SysLogHandler", "('/dev/log', 'local9')"),
    "sky.ini:18: [handler_other] args: has an unknown facility; known are ",
  ],
  [
    "a bad connect string",
    skylog("LogDBHandler", "('hots=x',)"),
    'sky.ini:18: [handler_other] args: invalid connection option "hots"',
  ],
  [
    "an unlisted formatter",
    skylog("FileHandler", "('x',)", "formatter = long\n"),
    'sky.ini:19: [handler_other] formatter: "long" is not listed in [formatters] keys',
  ],
  [
    "an unlisted handler",
    skylog("FileHandler", "('x',)").replace("stderr,other\n[form", "stderr\n[form"),
    'sky.ini:9: [logger_root] handlers: "other" is not listed in [handlers] keys',
  ],
  [
    "a class that every object of JavaScript has",
    skylog("skylog.constructor", "()"),
    'sky.ini:17: [handler_other] class: unknown handler class "skylog.constructor"',
  ],
  [
    "a level that every object of JavaScript has",
    skylog("FileHandler", "('x',)", "level = constructor\n"),
    'sky.ini:19: [handler_other] level: unknown level "constructor"',
  ],
  [
    "a bad level",
    skylog("FileHandler", "('x',)", "level = LOUD\n"),
    'sky.ini:19: [handler_other] level: unknown level "LOUD"',
  ],
  [
    "a bad format",
    skylog("FileHandler", "('x',)").replace("%(levelname)s", "%(nope)s"),
    'sky.ini:15: [formatter_short] format: has the unknown placeholder "nope"; known are ',
  ],
  [
    "a missing section",
    skylog("FileHandler", "('x',)").replace("keys = stderr,other", "keys = stderr,other,third"),
    "sky.ini:4: [handlers] keys: there is no section [handler_third]",
  ],
  [
    "a bad reference",
    skylog("FileHandler", "('%(nope)s',)"),
    'sky.ini:18: [handler_other] args: refers to "nope", which is not set',
  ],
] as const) {
  test(`skylog.ini with ${what} is one line with its place`, async () => {
    await using worker = await WorkerDirectory.make();
    const path = `${worker.path}/sky.ini`;
    worker.write("sky.ini", file);
    const names = { jobName: "w", serviceName: "worker" };
    const context = { console: { write: () => {} }, complain: () => {}, isJournal: false };
    assert.throws(
      () => readSkylog(["none.ini", path], { ...names, ...context }),
      (error) => {
        assert.ok(error instanceof ConfigError);
        assert.ok(error.message.replaceAll(`${worker.path}/`, "").startsWith(expected), error.message);
        return true;
      },
    );
  });
}

test("a mistake in skylog.ini is found by --check and by a start, and nothing starts", async () => {
  await using worker = await WorkerDirectory.make(oneRound);
  worker.write("sky.ini", "[loggers]\n");
  const stderr = "worker: sky.ini: [handlers] keys: required key is not set\n";
  assert.deepEqual(await worker.run("w.ini", "--check"), { code: 1, stdout: "", stderr });
  assert.deepEqual(await worker.run("w.ini", "work"), { code: 1, stdout: "", stderr });
  assert.equal(worker.read("w.log"), undefined);
});

test("a destination that cannot be opened is named", async () => {
  await using worker = await WorkerDirectory.make(oneRound);
  worker.write("sky.ini", skylog("FileHandler", "('no/where.log',)"));
  const { code, stderr } = await worker.run("w.ini", "work");
  assert.equal(code, 1);
  assert.equal(
    stderr,
    "worker: sky.ini:18: [handler_other] args: cannot open no/where.log for writing (ENOENT)\nHINT: Create the directory first.\n",
  );
});
