import assert from "node:assert/strict";
import { test } from "node:test";
import { parseStatisticsLine, StatisticsSum } from "#src/log/statistics-line.js";

test("only statistics lines are taken for such", () => {
  assert.deepEqual(parseStatisticsLine("{count: 3, lag: 0.5}"), [
    ["count", "3"],
    ["lag", "0.5"],
  ]);
  for (const text of ["", "{}", "{text}", "count: 3", "{a: 1", "{a: 1, b}", "x {a: 1}"]) {
    assert.equal(parseStatisticsLine(text), undefined, text);
  }
});

test("sums keep the kinds of figures apart", () => {
  const sum = new StatisticsSum();
  for (const line of ["{count: 3, lag: 0.5, table: a}", "{count: 4, lag: 1.5, table: b, new: 1}"]) {
    sum.add(parseStatisticsLine(line) ?? []);
  }
  assert.equal(sum.takeLine(), "{count: 7, lag: 2.0, table: b, new: 1}");
  assert.equal(sum.takeLine(), undefined);
});
