import assert from "node:assert/strict";
import { test } from "node:test";
import { tnetDict, tnetFloat, tnetInteger, tnetNull, tnetText } from "#src/log/tnetstring.js";

for (const [encoded, expected] of [
  [tnetText("é"), "2:é,"],
  [tnetText(""), "0:,"],
  [tnetNull, "0:~"],
  [tnetInteger(12345678901234567890n), "20:12345678901234567890#"],
  [tnetFloat(3), "3:3.0^"],
  [tnetFloat(0.5), "3:0.5^"],
  [tnetDict({ a: tnetInteger(1), b: tnetDict({}) }), "15:1:a,1:1#1:b,0:}}"],
] as const) {
  test(`tagged netstring ${expected}`, () => assert.equal(encoded.toString(), expected));
}
