import assert from "node:assert/strict";
import { test } from "node:test";
import { DatabaseError, type LogLevel } from "#src/index.js";
import { parseLineFormat } from "#src/log/line-format.js";
import { ProgramLog } from "#src/log/program-log.js";
import { JournalHandler, StreamHandler } from "#src/log/stream-handler.js";

function captured(level: LogLevel, format: "text" | "json") {
  const written: string[] = [];
  const program = new ProgramLog({
    serviceName: "svc",
    jobName: "job",
    level,
    handlers: [
      new StreamHandler(
        { write: (text) => written.push(text) },
        format === "json" ? "json" : parseLineFormat("%(levelname)s %(message)s", ""),
      ),
    ],
  });
  return {
    log: program.log,
    written,
    json: () => written.map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

test("levels have Python's names, and lesser ones stay away", () => {
  const { log, written } = captured("trace", "text");
  for (const level of ["trace", "debug", "info", "warn", "error", "fatal"] as const) log[level]("x");
  assert.deepEqual(written, [
    "TRACE x\n",
    "DEBUG x\n",
    "INFO x\n",
    "WARNING x\n",
    "ERROR x\n",
    "CRITICAL x\n",
  ]);
  const quiet = captured("warn", "text");
  quiet.log.info("x");
  quiet.log.warn("y");
  assert.deepEqual(quiet.written, ["WARNING y\n"]);
});

test("a hint is a second line, a stack shows only when the log is verbose", () => {
  const error = new DatabaseError("no such table", { cause: new Error("inner") });
  const normal = captured("info", "text");
  normal.log.error("failed", { err: error, hint: "Create it." });
  assert.deepEqual(normal.written, ["ERROR failed\nHINT: Create it.\n"]);
  const verbose = captured("debug", "text");
  verbose.log.error("failed", { err: error });
  assert.match(
    verbose.written[0]!,
    /^ERROR failed\nDatabaseError: no such table\n {4}at .*\nCaused by: Error: inner\n/s,
  );
});

test("JSON lines have level, time, origin, message, fields and the error's code", () => {
  const { log, json } = captured("info", "json");
  log.child({ queue: "q" }).info("text", { batch: 7n, err: new DatabaseError("broken") });
  const [record] = json();
  assert.deepEqual(
    { ...record, time: undefined, pid: undefined },
    {
      level: "info",
      time: undefined,
      pid: undefined,
      service: "svc",
      job: "job",
      queue: "q",
      batch: 7,
      err: { name: "DatabaseError", message: "broken", code: "DATABASE" },
      msg: "text",
    },
  );
  assert.match(String(record?.time), /^\d{4}-\d\d-\d\dT.*Z$/);
});

test("passwords are hidden wherever they are", () => {
  const { log, written } = captured("debug", "json");
  const text = "connect to host=h password=secret";
  log.child({ connstr: text }).error(text, { hint: text, err: new Error(text, { cause: new Error(text) }) });
  assert.equal(written.length, 1);
  assert.doesNotMatch(written[0]!, /secret/);
});

test("messages keep what looks like formatting", () => {
  const { log, written } = captured("info", "text");
  log.info("100%s %d %o {a: 1}", { x: 1 });
  assert.deepEqual(written, ["INFO 100%s %d %o {a: 1}\n"]);
});

test("in the journal each line begins with its priority", () => {
  const written: string[] = [];
  const handler = new JournalHandler(
    { write: (text) => written.push(text) },
    parseLineFormat("%(message)s", ""),
  );
  const { log } = new ProgramLog({ serviceName: "s", jobName: "j", level: "trace", handlers: [handler] });
  for (const level of ["trace", "debug", "info", "warn", "error", "fatal"] as const) log[level](level);
  log.error("failed", { hint: "Look." });
  assert.deepEqual(written, [
    "<7>trace\n",
    "<7>debug\n",
    "<6>info\n",
    "<4>warn\n",
    "<3>error\n",
    "<2>fatal\n",
    "<3>failed\n<3>HINT: Look.\n",
  ]);
});

test("a handler that fails is reported once and hides nothing from the others", (context) => {
  const complaints: string[] = [];
  context.mock.method(process.stderr, "write", (text: string) => complaints.push(text) > 0);
  const written: string[] = [];
  const good = new StreamHandler({ write: (text) => written.push(text) }, parseLineFormat("%(message)s", ""));
  const bad = {
    handle: () => {
      throw new Error("disk full");
    },
  };
  const { log } = new ProgramLog({ serviceName: "s", jobName: "j", level: "info", handlers: [bad, good] });
  log.info("one");
  log.info("two");
  assert.deepEqual(written, ["one\n", "two\n"]);
  assert.deepEqual(complaints, ["cannot write to the log: disk full\n"]);
});
