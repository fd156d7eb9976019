import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { explore } from "@skytools/testbed";
import {
  checkHandOver,
  type HandOverWorld,
  handOverWorld,
  movesOf,
  rulesOfTheCode,
  settle,
} from "./hand-over-world.js";

/** From wherever the processes were killed, they come to an end by being started again. */
function checkEnd(world: HandOverWorld): void {
  checkHandOver(world);
  const end = settle(world);
  checkHandOver(end);
  assert.deepEqual(
    [end.state, end.workerPosition, end.copyPosition],
    ["ok", end.newestTick, undefined],
    "the table does not get to its worker",
  );
}

describe("every state of a table between its worker and its copy process, which may be killed anywhere", () => {
  it("has each event once, and comes to its end", async () => {
    const start = handOverWorld({ ticks: 3, kills: 2, resyncs: 0, losses: 0 });
    const { states, failure } = await explore(start, (world) => movesOf(world), checkEnd);
    assert.equal(failure, undefined);
    assert.ok(states > 1000, `${states} states`);
  });

  it("also when it is copied anew in between, or the copy loses its place in the queue", async () => {
    const start = handOverWorld({ ticks: 2, kills: 1, resyncs: 1, losses: 1 });
    const { states, failure } = await explore(start, (world) => movesOf(world), checkEnd);
    assert.equal(failure, undefined);
    assert.ok(states > 1000, `${states} states`);
  });

  for (const [rule, broken] of [
    ["withdraws", /the worker moves while a table is in do-sync/],
    ["dropsSnapshotFirst", /a snapshot beyond catching up|rows at another position/],
    ["appliesBetween", /rows at another position than the worker's/],
    ["comparesBehindLock", /rows at another position than the worker's/],
  ] as const) {
    it(`would not without the rule ${rule}`, async () => {
      const start = handOverWorld({ ticks: 3, kills: 2, resyncs: 0, losses: 0 });
      const { failure } = await explore(
        start,
        (world) => movesOf(world, { ...rulesOfTheCode, [rule]: false }),
        checkHandOver,
      );
      assert.match(failure ?? "", broken);
    });
  }
});
