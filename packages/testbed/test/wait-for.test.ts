import assert from "node:assert/strict";
import { test } from "node:test";
import { waitFor } from "@skytools/testbed";

test("gives the first value that is not undefined, null or false", async () => {
  const values = [undefined, null, false, 0];
  assert.equal(await waitFor("zero", () => values.shift(), { intervalMs: 1 }), 0);
});

test("a condition that throws is asked again", async () => {
  let attempts = 0;
  const condition = async () => {
    attempts += 1;
    if (attempts < 3) throw new Error("not yet");
    return "now";
  };
  assert.equal(await waitFor("the third attempt", condition, { intervalMs: 1 }), "now");
});

test("a condition whose errors are final is not asked again", async () => {
  const condition = () => Promise.reject(new Error("no such table"));
  await assert.rejects(waitFor("rows", condition, { isErrorFinal: true }), /^Error: no such table$/);
});

test("the deadline's message holds what was seen last and what the caller adds", async () => {
  const options = { timeoutMs: 10, intervalMs: 1, onTimeout: () => "the server's log" };
  await assert.rejects(
    waitFor("rain", () => Promise.reject(new Error("dry")), options),
    /timed out after 0.01 s waiting for rain; last seen: dry\nthe server's log/,
  );
  await assert.rejects(
    waitFor("rain", () => null, options),
    /last seen: null/,
  );
});
