import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DatabaseState } from "#src/database-state.js";
import { databaseHealth, type HealthRules } from "#src/monitor/health.js";

describe("the health of a database", () => {
  let clockMs = 0;

  function judge(prepare: (state: DatabaseState) => void, afterMs: number, listed: string[] = []) {
    const state = new DatabaseState("db", () => clockMs);
    prepare(state);
    const rules: HealthRules = { nowMs: clockMs + afterMs, unhealthyPeriodMs: 60_000, listed };
    const { verdict, reason } = databaseHealth(state, rules);
    return [verdict, reason];
  }
  const ticked = (state: DatabaseState) => {
    state.found("present", "3.5");
    state.ticked(1);
  };

  it("is good while ticks come", () => assert.deepEqual(judge(ticked, 59_000), ["ok", undefined]));

  it("is bad when they stay away, with the reason", () => {
    assert.deepEqual(judge(ticked, 61_000), ["failing", "not ticked for 61 s"]);
    const lost = judge((state) => {
      ticked(state);
      state.trouble = "connection lost";
    }, 90_000);
    assert.deepEqual(lost, ["failing", "not ticked for 90 s: connection lost"]);
  });

  it("is open for a while after the start", () => {
    assert.deepEqual(
      judge(() => undefined, 10_000),
      ["starting", "not ticked yet"],
    );
    assert.deepEqual(
      judge(() => undefined, 61_000),
      ["failing", "not ticked for 61 s"],
    );
  });

  it("is open for a while after PgQ has come", () => {
    const installedLater = (state: DatabaseState) => {
      state.found("absent");
      clockMs += 3_600_000;
      state.found("present", "4.0.0");
    };
    assert.deepEqual(judge(installedLater, 10_000), ["starting", "not ticked yet"]);
    assert.deepEqual(judge(installedLater, 61_000), ["failing", "not ticked for 61 s"]);
  });

  it("does not count without PgQ, unless the database was asked for by name", () => {
    assert.deepEqual(
      judge((state) => state.found("absent"), 99_000),
      ["ignored", "no PgQ"],
    );
    assert.deepEqual(
      judge((state) => state.found("too old"), 99_000),
      ["ignored", "PgQ is older than 3"],
    );
    assert.deepEqual(
      judge((state) => state.found("absent"), 99_000, ["db"]),
      ["failing", "not ticked for 99 s: no PgQ"],
    );
  });

  it("does not count in recovery, nor where we were never let in", () => {
    assert.equal(judge((state) => state.found("standby"), 99_000, ["db"])[0], "ignored");
    const shutOut = (state: DatabaseState) => {
      state.trouble = "permission denied";
      state.isClosedToUs = true;
    };
    assert.deepEqual(judge(shutOut, 99_000), ["ignored", "permission denied"]);
    assert.equal(judge(shutOut, 99_000, ["db"])[0], "failing");
  });
});
