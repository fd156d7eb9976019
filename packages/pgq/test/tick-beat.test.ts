import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { TickBeat } from "#src/tick-beat.js";
import { type PolledTick, poll, randomNumbers } from "./fixture/polled-ticks.js";

const phases = [30, 130, 230, 330, 430, 530, 630, 730, 830, 930];
/** After so many ticks it is known when they come. */
const learningTicks = 8;

interface Beat {
  readonly beatMs: number;
  readonly jitterMs?: number;
  /** from the tick to where it can be seen */
  readonly delayMs?: number;
  readonly delayJitterMs?: number;
  /** of the root's clock, against that of the reader */
  readonly clockMs?: number;
}

function ticksOf(
  count: number,
  { beatMs, jitterMs = 0, delayMs = 3, delayJitterMs = 0, clockMs = 0 }: Beat,
): PolledTick[] {
  const random = randomNumbers(7);
  let time = 5000;
  return Array.from({ length: count }, () => {
    time += beatMs + random() * jitterMs;
    return { madeMs: time + clockMs, visibleMs: time + delayMs + random() * delayJitterMs };
  });
}

const average = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Over consumers that were started at different moments. */
function compare(beat: Beat, usualMs = 1000) {
  const run = (followsBeat: boolean) => {
    const results = phases.map((phase) =>
      poll(ticksOf(120, beat), { usualMs, firstLookMs: (phase * usualMs) / 1000, followsBeat }),
    );
    return {
      delayMs: average(results.flatMap(({ delaysMs }) => delaysMs.slice(learningTicks))),
      lookCount: average(results.map(({ lookCount }) => lookCount)),
    };
  };
  return { aligned: run(true), plain: run(false) };
}

describe("the pause of a consumer that has found no batch", () => {
  it("ends soon after the next tick, and as many looks do for that", () => {
    for (const beatMs of [1003, 1400, 1700, 2006, 2500, 3010, 4700, 10_050]) {
      const { aligned, plain } = compare({ beatMs, jitterMs: 8 });
      const told = `${beatMs}: ${JSON.stringify({ aligned, plain })}`;
      assert.ok(aligned.delayMs < 150, told);
      assert.ok(plain.delayMs > 350, told);
      assert.ok(aligned.lookCount < plain.lookCount * 1.15, told);
    }
  });

  it("is the usual one on average over all beats", () => {
    const pausesMs = Array.from({ length: 200 }, (_, at) => 200 + at * 37).flatMap(
      (beatMs) =>
        poll(ticksOf(30, { beatMs }), { usualMs: 1000, firstLookMs: 500, followsBeat: true }).pausesMs,
    );
    assert.ok(average(pausesMs) > 950 && average(pausesMs) < 1050, `${average(pausesMs)}`);
  });

  it("does so behind a branch, whatever the clocks of the servers say", () => {
    for (const clockMs of [-1e9, 0, 1e9]) {
      const { aligned } = compare({ beatMs: 3010, jitterMs: 8, delayMs: 420, delayJitterMs: 25, clockMs });
      assert.ok(aligned.delayMs < 150, JSON.stringify(aligned));
    }
  });

  it("is no worse than the usual one where ticks come as they like", () => {
    for (const beat of [
      { beatMs: 50, jitterMs: 60_000 },
      { beatMs: 100, jitterMs: 3000 },
      { beatMs: 3000, jitterMs: 1000, delayJitterMs: 800 },
    ]) {
      const { aligned, plain } = compare(beat);
      const told = JSON.stringify({ beat, aligned, plain });
      assert.ok(aligned.delayMs < plain.delayMs * 1.1, told);
      assert.ok(aligned.lookCount < plain.lookCount * 1.15, told);
    }
  });

  it("is much like the usual one where ticks come more often than looks", () => {
    for (const beatMs of [60, 100, 250, 430, 700]) {
      const { aligned, plain } = compare({ beatMs, jitterMs: 3 });
      const told = `${beatMs}: ${JSON.stringify({ aligned, plain })}`;
      assert.ok(aligned.delayMs < plain.delayMs * 1.1, told);
      assert.ok(aligned.lookCount < plain.lookCount * 1.2, told);
    }
  });

  it("finds the ticks again when they take another time to come here", () => {
    const ticks = ticksOf(120, { beatMs: 3010 }).map((tick, at) => ({
      ...tick,
      visibleMs: tick.visibleMs + (at < 40 ? 0 : at < 80 ? 600 : 300),
    }));
    const { delaysMs } = poll(ticks, { usualMs: 1000, firstLookMs: 100, followsBeat: true });
    for (const from of [10, 50]) assert.ok(average(delaysMs.slice(from, from + 28)) < 150, `${from}`);
    assert.ok(average(delaysMs.slice(80, 120)) < 350);
  });

  it("is the usual one until two ticks tell a beat, and where it is short", () => {
    const beat = new TickBeat();
    assert.equal(beat.pauseMs(1000, 5), 1000);
    beat.foundNothing(10);
    assert.equal(beat.pauseMs(1000, 15), 1000);
    const batch = {
      batchId: 1n,
      previousTickId: 1n,
      tickId: 2n,
      previousTickTime: "2026-01-01 00:00:00+02",
      tickTime: "2026-01-01 00:00:01.4+02",
      tickEventSeq: null,
      previousTickEventSeq: null,
    };
    beat.foundBatch(batch, 20);
    assert.equal(beat.pauseMs(40, 30), 40);
    assert.equal(beat.pauseMs(1000, 30), 1421.25);
    // the same one once more, as after a failure
    beat.foundBatch(batch, 5000);
    assert.equal(beat.pauseMs(1000, 30), 1421.25);
    beat.forget();
    assert.equal(beat.pauseMs(1000, 30), 1000);
    beat.foundNothing(10);
    beat.foundBatch({ ...batch, tickTime: "infinity" }, 20);
    assert.equal(beat.pauseMs(1000, 30), 1000);
  });

  it("is never longer than half as long again, nor shorter than half, but once after a tick that was expected", () => {
    const anyTicks = fc.array(
      fc.record({ gapMs: fc.integer({ min: 1, max: 20_000 }), delayMs: fc.integer({ min: 0, max: 5000 }) }),
      { minLength: 2, maxLength: 40 },
    );
    fc.assert(
      fc.property(anyTicks, fc.integer({ min: 50, max: 3000 }), (gaps, usualMs) => {
        let time = 0;
        let seen = 0;
        const ticks = gaps.map(({ gapMs, delayMs }) => {
          time += gapMs;
          seen = Math.max(seen, time + delayMs);
          return { madeMs: time, visibleMs: seen };
        });
        const { pausesMs } = poll(ticks, { usualMs, firstLookMs: 0, followsBeat: true });
        for (const pauseMs of pausesMs)
          assert.ok(pauseMs > 0 && pauseMs <= usualMs * 1.5 + 1e-6, `${pauseMs}`);
        const shorter = pausesMs.filter((pauseMs) => pauseMs < usualMs / 2 - 1e-6);
        assert.ok(shorter.length <= ticks.length);
      }),
      { seed: 1, numRuns: 300 },
    );
  });
});
