import assert from "node:assert/strict";
import { test } from "node:test";
import { TakeOverQueue } from "#src/copy/take-over-queue.js";

test("take-overs run one after the other, also when one of them fails", async () => {
  const queue = new TakeOverQueue();
  const seen: string[] = [];
  const takeOver = (name: string) => async (): Promise<string> => {
    seen.push(`${name} begins`);
    await new Promise(setImmediate);
    seen.push(`${name} ends`);
    if (name === "a") throw new Error("lost");
    return name;
  };
  const [a, b] = [queue.enter(takeOver("a")), queue.enter(takeOver("b"))];
  await assert.rejects(a, /lost/);
  assert.equal(await b, "b");
  assert.deepEqual(seen, ["a begins", "a ends", "b begins", "b ends"]);
});
