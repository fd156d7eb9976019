import assert from "node:assert/strict";
import { test } from "node:test";
import type { FigureName } from "#src/figures.js";
import { judge } from "#src/judge.js";

const moments = Array.from({ length: 120 }, (_, at) => at);
const outcome = (figure: FigureName, value: (at: number) => number, length = moments.length) =>
  judge({ owner: "daemon", figure, values: moments.slice(0, length).map(value) }).outcome;

test("one more open file, socket, lock or child than before is a leak", () => {
  for (const figure of [
    "files",
    "sockets",
    "handles",
    "children",
    "connections",
    "locks",
    "names",
  ] as const) {
    assert.equal(
      outcome(figure, () => 12),
      "flat",
      figure,
    );
    assert.equal(
      outcome(figure, (at) => (at < 80 ? 12 : 13)),
      "grows",
      figure,
    );
    assert.equal(
      outcome(figure, (at) => 12 + Math.floor(at / 20)),
      "grows",
      figure,
    );
  }
});

test("counts that come and go are none, wherever the ends of the thirds fall", () => {
  for (let shift = 0; shift < 20; shift += 1) {
    assert.equal(
      outcome("sockets", (at) => 5 + ((at + shift) % 2)),
      "flat",
      `every other, ${shift}`,
    );
    assert.equal(
      outcome("sockets", (at) => 5 + (Math.floor((at + shift) / 5) % 3)),
      "flat",
      `steps, ${shift}`,
    );
    assert.equal(
      outcome("children", (at) => (at > 80 && at % 3 === shift % 3 ? 4 : 0)),
      "flat",
      `bursts, ${shift}`,
    );
  }
});

test("a leak below what comes and goes is seen", () => {
  assert.equal(
    outcome("sockets", (at) => 5 + (at % 3) + Math.floor(at / 16)),
    "grows",
  );
  assert.equal(
    outcome("heap", (at) => 20 + (at % 2) + at * 0.05),
    "grows",
  );
});

test("memory may breathe, and grows when it rises beyond its allowance", () => {
  assert.equal(
    outcome("memory", (at) => 90 + (at % 7)),
    "flat",
  );
  assert.equal(
    outcome("memory", (at) => 90 + at / 20),
    "flat",
  );
  assert.equal(
    outcome("memory", (at) => 90 + at / 2),
    "grows",
  );
  assert.equal(
    outcome("heap", (at) => 15 + at / 100),
    "flat",
  );
  assert.equal(
    outcome("heap", (at) => 15 + at / 20),
    "grows",
  );
});

test("what happens in the warm-up counts for nothing, and a short run says nothing", () => {
  assert.equal(
    outcome("memory", (at) => (at < 29 ? at * 5 : 145)),
    "flat",
  );
  assert.equal(
    outcome("files", (at) => at, 78),
    "too short",
  );
  assert.equal(
    outcome("files", (at) => at, 80),
    "grows",
  );
});
