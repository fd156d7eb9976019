import assert from "node:assert/strict";
import { it } from "node:test";
import { Counters } from "#src/counters.js";

it("the statistics line counts since the line before, and is written when all is zero", () => {
  const counters = new Counters();
  counters.countTick();
  counters.countTick();
  counters.countMaintenance();
  counters.countRetried(7n);
  assert.equal(counters.takeLine(), "{ticks: 2, maint: 1, retry: 7}");
  assert.equal(counters.takeLine(), "{ticks: 0, maint: 0, retry: 0}");
});
