import assert from "node:assert/strict";
import { it } from "node:test";
import { Alarm } from "#src/alarm.js";

it("a ring ends the sleep, and one that comes too early ends the next sleep", async () => {
  const alarm = new Alarm();
  const order: string[] = [];
  const sleeper = alarm.sleep(3_600_000).then(() => order.push("slept"));
  order.push("ringing");
  alarm.ring();
  await sleeper;
  alarm.ring();
  await alarm.sleep(3_600_000);
  assert.deepEqual(order, ["ringing", "slept"]);
  await alarm.sleep(1);
});
