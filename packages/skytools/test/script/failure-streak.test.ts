import assert from "node:assert/strict";
import { test } from "node:test";
import { Config, DatabaseError, frameworkConfig, SkytoolsError, UsageError } from "#src/index.js";
import { errorNames } from "#src/script/error-names.js";
import { crashLine } from "#src/script/error-report.js";
import { FailureStreak } from "#src/script/failure-streak.js";

function streak(body: string): FailureStreak {
  return new FailureStreak(Config.parse(`[s]\n${body}`, "s", { groups: [frameworkConfig] }));
}

const second = 1000;

test("the sleep is the same after each failure unless a longest one is set", () => {
  const fixed = streak("");
  fixed.fail(0);
  fixed.fail(0);
  assert.equal(fixed.sleepMs(), 20 * second);
  const growing = streak("exception_sleep = 2\nexception_sleep_max = 10\n");
  const sleeps = [1, 2, 3, 4].map(() => {
    growing.fail(0);
    return growing.sleepMs();
  });
  assert.deepEqual(sleeps, [2000, 4000, 8000, 10000]);
  growing.succeed(0);
  growing.fail(0);
  assert.equal(growing.sleepMs(), 2000);
});

test("quiet lasts for the grace time from the first failure of a streak, which outlives successes", () => {
  const quiet = streak("exception_quiet = ALL, x\nexception_grace = 300\nexception_reset = 900\n");
  const error = new Error("e");
  quiet.fail(0);
  assert.equal(quiet.isQuiet(error, 300 * second), true);
  quiet.succeed(301 * second);
  quiet.fail(302 * second);
  assert.equal(quiet.isQuiet(error, 302 * second), false);
  quiet.succeed(901 * second);
  quiet.fail(902 * second);
  assert.equal(quiet.isQuiet(error, 902 * second), true);
});

test("errors are listed by our names, by SQLSTATE and by the names of both Python drivers", () => {
  const shutdown = new DatabaseError("x", { sqlState: "57P01" });
  for (const name of ["DatabaseError", "57P01", "AdminShutdown", "OperationalError"]) {
    assert.ok(errorNames(shutdown).includes(name), name);
  }
  assert.ok(errorNames(new DatabaseError("x", { sqlState: "23505" })).includes("IntegrityError"));
  assert.ok(errorNames(new DatabaseError("x", { sqlState: "23505" })).includes("UniqueViolation"));
  assert.ok(errorNames(new DatabaseError("connect")).includes("OperationalError"));
  assert.ok(errorNames(new TypeError("x")).includes("TypeError"));
  const quiet = streak("exception_quiet = AdminShutdown\n");
  quiet.fail(0);
  assert.equal(quiet.isQuiet(shutdown, 0), true);
  assert.equal(quiet.isQuiet(new DatabaseError("x", { sqlState: "42P01" }), 0), false);
});

test("the lines that say that a job failed", () => {
  const error = new DatabaseError("no such table (db on h:1) \n", { query: "select 1" });
  assert.equal(
    crashLine("j", error),
    "Job j got error on connection: no such table (db on h:1).   Query: select 1",
  );
  assert.equal(crashLine("j", new DatabaseError("gone")), "Job j got error on connection: gone");
  assert.equal(crashLine("j", new UsageError("bad ")), "Job j crashed: bad");
  assert.equal(
    crashLine("j", new SkytoolsError("CASCADE_NODE", "no node", { retry: "later" })),
    "Job j cannot go on: no node",
  );
  assert.equal(crashLine("j", "text"), "Job j crashed: text");
});
