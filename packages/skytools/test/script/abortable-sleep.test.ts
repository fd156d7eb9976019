import assert from "node:assert/strict";
import { test } from "node:test";
import { AbortableSleep } from "#src/script/abortable-sleep.js";

const forever = 10_000_000_000;

test("a sleep ends after its time", async () => {
  const started = performance.now();
  await new AbortableSleep().sleep(20);
  assert.ok(performance.now() - started >= 19);
});

test("wake ends all sleeps that are under way", async () => {
  const sleep = new AbortableSleep();
  const both = Promise.all([sleep.sleep(forever), sleep.sleep(forever)]);
  sleep.wake();
  await both;
});

test("a wake that comes too early ends the next sleep, once", async () => {
  const sleep = new AbortableSleep();
  sleep.wake();
  await sleep.sleep(forever);
  let isAwake = false;
  const second = sleep.sleep(forever).then(() => {
    isAwake = true;
  });
  await new Promise(setImmediate);
  assert.equal(isAwake, false);
  sleep.interrupt();
  await second;
});

test("interrupt is forgotten when nobody sleeps, stayAwake never", async () => {
  const sleep = new AbortableSleep();
  sleep.interrupt();
  const pending = sleep.sleep(forever);
  sleep.stayAwake();
  await pending;
  await sleep.sleep(forever);
  await sleep.sleep(forever);
});
