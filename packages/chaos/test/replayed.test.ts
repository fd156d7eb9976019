import assert from "node:assert/strict";
import { test } from "node:test";
import { replayedInLogs } from "#src/replayed.js";

const line = (pid: number, text: string) => `2026-11-28 21:36:51,861 ${pid} INFO {${text}}`;

test("events in sets and one by one are counted for workers, and what goes to the nodes themselves is no set", () => {
  const log = [
    line(7, "row_by_row: 590, count: 591, duration: 0.997, idle: 1.572"),
    line(7, "ignored_events: 100, row_by_row: 10, count: 500, duration: 0.1"),
    line(8, "count: 9000, duration: 0.1"),
    "2026-11-28 21:36:51,861 8 ERROR connection lost: the server has not answered for 2 s, nor does it accept connections",
  ];
  assert.deepEqual(replayedInLogs([log.join("\n")], new Set([7])), {
    setWise: 390,
    rowByRow: 600,
    givenUp: 1,
  });
});
