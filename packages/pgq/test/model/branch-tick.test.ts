import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { explore } from "@skytools/testbed";
import { type BranchWorld, branchWorld, checkBranch, fits, movesOf, settle } from "./branch-world.js";

/** Where nothing stands in its way, the worker gets to the end of the queue, whatever has happened before. */
function checkEnd(world: BranchWorld): void {
  checkBranch(world);
  if (!fits(world)) return;
  const end = settle(world);
  checkBranch(end);
  const last = end[end.provider].batches.length;
  const reached = [end.completed, end.ticks.length - 1, end[end.provider].place];
  assert.deepEqual(reached, [last, last, last], "the worker does not get to the end");
}

describe("every state of a branch whose worker may be killed anywhere", () => {
  it("has each batch once with its tick behind it, through kills and other providers", async () => {
    const start = branchWorld({ ticks: 3, kills: 2, switches: 2, restores: 0 });
    const { states, failure } = await explore(
      start,
      (world) => movesOf(world, { knowsTimes: true }),
      checkEnd,
    );
    assert.equal(failure, undefined);
    assert.ok(states > 1000, `${states} states`);
  });

  it("takes no batch for another when the root is restored from an older state", async () => {
    const start = branchWorld({ ticks: 3, kills: 1, switches: 1, restores: 1 });
    const { states, failure } = await explore(
      start,
      (world) => movesOf(world, { knowsTimes: true }),
      checkEnd,
    );
    assert.equal(failure, undefined);
    assert.ok(states > 1000, `${states} states`);
  });

  it("would do so without the times of ticks", async () => {
    const start = branchWorld({ ticks: 3, kills: 0, switches: 1, restores: 1 });
    const { failure } = await explore(start, (world) => movesOf(world, { knowsTimes: false }), checkEnd);
    assert.match(failure ?? "", /rewind.*a batch behind another one than on its provider/);
  });
});
