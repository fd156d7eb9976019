import assert from "node:assert/strict";
import { test } from "node:test";
import { Snapshot } from "#src/index.js";

test("what a snapshot sees", () => {
  const snapshot = Snapshot.parse("11:20:11,12,15");
  assert.deepEqual(
    [9n, 11n, 17n, 20n].map((txid) => snapshot.contains(txid)),
    [true, false, true, false],
  );
  assert.deepEqual(
    [10n, 12n, 15n, 19n, 21n].map((txid) => snapshot.contains(txid)),
    [true, false, false, true, false],
  );
});

test("nothing running, ids beyond 2^53, and back to text", () => {
  const snapshot = Snapshot.parse("9007199254740993:9007199254740993:");
  assert.equal(snapshot.contains(9007199254740992n), true);
  assert.equal(snapshot.contains(9007199254740993n), false);
  assert.equal(Snapshot.parse("11:20:11,12,15").toString(), "11:20:11,12,15");
  assert.equal(snapshot.toString(), "9007199254740993:9007199254740993:");
});

test("other text is refused", () => {
  for (const text of ["", "1:2", "a:b:", "1:2:3,", "1:2:3 "])
    assert.throws(() => Snapshot.parse(text), /invalid snapshot/);
});
