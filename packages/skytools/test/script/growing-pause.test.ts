import assert from "node:assert/strict";
import { it } from "node:test";
import { GrowingPause } from "#src/script/growing-pause.js";

it("looks again soon at first, and then more seldom", async () => {
  const slept: number[] = [];
  const pause = new GrowingPause(
    {
      sleep: async (ms) => {
        slept.push(ms);
      },
    },
    200,
  );
  for (let n = 0; n < 6; n += 1) await pause.take();
  assert.deepEqual(slept, [50, 75, 112.5, 168.75, 200, 200]);
});
