import assert from "node:assert/strict";
import { test } from "node:test";
import type { QueueContent } from "#src/queue-content.js";
import { findQueueDifferences } from "#src/queue-differences.js";
import { type EventTables, takenSince } from "#src/rotations.js";

const nothingTaken = { ticksBelow: 0n, eventsBelow: 0n, ticksUntil: 0n };

/** A tick every ten events, and one more event behind the last. */
function queue(ticks = [1, 2, 3, 4]): { -readonly [key in keyof QueueContent]: QueueContent[key][number][] } {
  const event = (id: number, tick: bigint | undefined) => ({
    id: BigInt(id),
    tick,
    isMessage: false,
    line: `${id} data`,
  });
  return {
    ticks: ticks.map((nr) => ({ id: BigInt(nr), time: BigInt(nr * 1_000_000), eventSeq: BigInt(nr * 10) })),
    events: [
      ...ticks.flatMap((nr) => [nr * 10 - 1, nr * 10].map((id) => event(id, BigInt(nr)))),
      event(ticks.at(-1)! * 10 + 1, undefined),
    ],
  };
}

test("a branch that has what the root had at its last tick does not differ", () => {
  assert.deepEqual(findQueueDifferences(queue(), queue([1, 2, 3]), nothingTaken), []);
});

test("a tick or an event that is missing within, or has another time or batch, is found", () => {
  const found = (change: (branch: ReturnType<typeof queue>) => unknown) => {
    const branch = queue();
    change(branch);
    return findQueueDifferences(queue(), branch, nothingTaken).join();
  };
  assert.match(
    found(({ ticks }) => ticks.splice(1, 1)),
    /^tick 3 .+, the root has 2 /,
  );
  assert.match(
    found(({ ticks }) => ticks.splice(1, 1, { ...ticks[1]!, time: 5n })),
    /^tick 2 .+, the root has 2 /,
  );
  assert.match(
    found(({ events }) => events.splice(3, 1)),
    /^event 29 data .+, the root has 20 data/,
  );
  assert.match(
    found(({ events }) => events.splice(4, 1, { ...events[4]!, tick: 4n })),
    /^event 29 data in the batch of tick 4, the root has 29 data in the batch of tick 3/,
  );
  assert.match(
    found(({ events }) => events.push({ ...events[0]!, id: 55n, line: "55", tick: 4n })),
    /^event 55/,
  );
});

test("event numbers of ticks may differ by ids of the batch, and by nothing else", () => {
  const withSeq = (eventSeq: bigint) => {
    const branch = queue();
    branch.ticks[2] = { ...branch.ticks[2]!, eventSeq };
    return findQueueDifferences(queue(), branch, nothingTaken).join();
  };
  assert.equal(withSeq(28n), "");
  assert.match(withSeq(31n), /tick 3 has event seq 31, on the root 30/);
  assert.match(withSeq(19n), /tick 3 has event seq 19, after 20/);
});

test("at the beginning only what rotation may have taken is left out", () => {
  const branch = queue();
  branch.events.splice(0, 3);
  branch.ticks.splice(0, 1);
  const away = { ticksBelow: 0n, eventsBelow: 20n, ticksUntil: 1_000_000n };
  assert.deepEqual(findQueueDifferences(queue(), branch, away), []);
  assert.match(
    findQueueDifferences(queue(), branch, { ...away, eventsBelow: 19n }).join(),
    /^event 20 data in an early batch, the root has 19 data/,
  );
  assert.match(
    findQueueDifferences(queue(), branch, { ...away, ticksUntil: 999_999n }).join(),
    /^tick 2 .+, the root has 1 /,
  );
});

test("the tick that a queue began with is its own", () => {
  const branch = queue();
  branch.ticks[0] = { ...branch.ticks[0]!, time: 5n };
  assert.deepEqual(findQueueDifferences(queue(), branch, { ...nothingTaken, ticksBelow: 2n }), []);
});

test("rotations between two looks take the oldest tables, as many as there were switches", () => {
  const look = (current: number, seconds: number, lastIds: EventTables["lastIds"] = [300n, 100n, 200n]) => ({
    current,
    switchTime: BigInt(seconds) * 1_000_000n,
    lastIds,
  });
  assert.deepEqual(takenSince(look(0, 0), look(0, 0)), []);
  assert.deepEqual(takenSince(look(0, 0), look(1, 200)), [100n]);
  assert.deepEqual(takenSince(look(0, 0), look(2, 400)), [100n, 200n]);
  assert.deepEqual(takenSince(look(0, 0), look(0, 600, [undefined, 400n, 500n])), [300n, 100n, 200n, 400n]);
});
