import assert from "node:assert/strict";
import { it } from "node:test";
import { parseInterval } from "#src/config/typed-value.js";

it("refuses an interval of many digits at once, instead of trying every way to split them", () => {
  assert.throws(() => parseInterval(`${"9".repeat(5000)}!`));
  assert.throws(() => parseInterval(`${"1 ".repeat(5000)}!`));
});

it("reads intervals as PostgreSQL writes them", () => {
  for (const text of [
    "10",
    "1.5 hours",
    "2 hours 30 minutes",
    "1:30:00",
    "1 day 02:03:04.5",
    "P1DT2H",
    "3min",
  ])
    assert.equal(parseInterval(` ${text} `), text);
});
