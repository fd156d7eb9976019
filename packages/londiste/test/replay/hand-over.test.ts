import assert from "node:assert/strict";
import { test } from "node:test";
import { longestPauseMs } from "#src/replay/hand-over-rules.js";
import { formatTableState, parseTableState, type TableStateKind } from "#src/replay/table-state.js";
import { eventActor, stateOwner, type TableEvent, transitions } from "#src/replay/table-state-machine.js";

const kinds = Object.keys(transitions) as TableStateKind[];
const events = Object.keys(eventActor) as TableEvent[];

test("every transition out of a state is made by its owner or the operator", () => {
  for (const kind of kinds) {
    for (const event of events) {
      if ("refused" in transitions[kind][event] || eventActor[event] === "operator") continue;
      // A copy process may give up whatever it was about to do, and the worker may take back what it granted, or see a script
      // change the rows.
      const isExempt =
        event === "place-lost" ||
        event === "rows-changed" ||
        (kind === "do-sync" && event === "withdraw") ||
        (kind === "wanna-sync" && event === "take-over");
      if (!isExempt) assert.equal(eventActor[event], stateOwner[kind], `${kind} ${event}`);
    }
  }
});

test("stored states are read and written alike; `?` is an old ok; others are refused", () => {
  for (const stored of [
    null,
    "in-copy",
    "catching-up",
    "ok",
    "wanna-sync:7",
    "do-sync:9223372036854775807",
  ]) {
    assert.equal(formatTableState(parseTableState(stored)), stored);
  }
  assert.deepEqual(parseTableState("?"), { kind: "ok" });
  for (const bad of ["", "OK", "wanna-sync", "do-sync:", "do-sync:x"]) {
    assert.throws(() => parseTableState(bad), /Bad table state/);
  }
});

test("a hand-over pauses replay for 150 ms at first, later longer, but not longer than a batch takes anyway, if that is enough", () => {
  const pauses = (batchMs: number) =>
    [0, 1, 2, 3, 6, 7, 50].map((failures) => longestPauseMs({ failures, batchMs }));
  assert.deepEqual(pauses(20), [150, 150, 150, 150, 300, 600, 5000]);
  assert.deepEqual(pauses(500), [150, 300, 500, 500, 500, 600, 5000]);
  assert.deepEqual(pauses(60_000), [150, 300, 600, 1200, 5000, 5000, 5000]);
});
