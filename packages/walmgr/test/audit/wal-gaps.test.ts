import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { describeGap, findGaps } from "#src/audit/wal-gaps.js";
import type { BackupSet } from "#src/backup/set-info.js";
import { planKeep } from "#src/retention/keep-plan.js";
import { parseHistory } from "#src/wal/timeline-history.js";
import { segmentName } from "#src/wal/wal-name.js";

const size = 16 << 20;

test("gaps are named, on each timeline and where it leaves its parent", () => {
  const names = [1, 2, 5, 6].map((n) => segmentName(1, BigInt(n), size));
  const history = parseHistory(2, "1\t0/6000100\tx\n");
  const all = [...names, "00000002.history", segmentName(2, 8n, size), segmentName(2, 9n, size)];
  const gaps = findGaps(all, size, 0n, [history]);
  assert.deepEqual(
    gaps.map((gap) => [gap.first, gap.count]),
    [
      [segmentName(1, 3n, size), 2],
      [segmentName(2, 6n, size), 2],
    ],
  );
  assert.match(describeGap(gaps[0]!), /^segments \S+03 to \S+04 are missing \(2\)$/);
  assert.deepEqual(findGaps(names, size, 5n, []), [], "what retention has removed is no gap");
});

test("whatever is taken out of a row of segments is found", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 38 }), { maxLength: 20 }), (removed) => {
      const all = Array.from({ length: 40 }, (_unused, n) => n);
      const names = all.filter((n) => !removed.includes(n)).map((n) => segmentName(1, BigInt(n), size));
      const found = findGaps(names, size, 0n, []).reduce((sum, gap) => sum + gap.count, 0);
      assert.equal(found, removed.length);
    }),
  );
});

function set(number: number, more: Partial<BackupSet["info"]> = {}): BackupSet {
  const time = new Date(Date.UTC(2026, 0, number)).toISOString();
  const info = {
    id: `set${number}`,
    systemIdentifier: "1",
    startTime: time,
    stopTime: time,
    includesWal: true,
    ...more,
  };
  return { name: `n${number}`, path: `/n${number}`, info: info as BackupSet["info"] };
}

const keptIds = (sets: readonly BackupSet[]) => sets.map((each) => each.info.id);

test("retention keeps the newest good sets, what they are based on, and what the window needs", () => {
  const sets = [set(9, { basedOn: "set7" }), set(8), set(7), set(6), set(5), set(4, { isKept: true })];
  const rules = { count: 1, windowSeconds: undefined, nowMs: Date.UTC(2026, 0, 9) };
  assert.deepEqual(keptIds(planKeep(sets, rules, () => true).kept), ["set9", "set7", "set4"]);
  const window = { ...rules, windowSeconds: 2.5 * 86_400 };
  assert.deepEqual(keptIds(planKeep(sets, window, () => true).kept), [
    "set9",
    "set8",
    "set7",
    "set6",
    "set4",
  ]);
});

test("a set that cannot be restored does not count, and none of another cluster is touched", () => {
  const sets = [set(9), set(8), set(7), set(6), set(5, { systemIdentifier: "2" })];
  const rules = { count: 2, windowSeconds: undefined, nowMs: Date.UTC(2026, 0, 9) };
  const { kept } = planKeep(sets, rules, (each) => each.info.id !== "set9");
  assert.deepEqual(keptIds(kept), ["set9", "set8", "set7", "set5"]);
});

test("no rule and no state of the sets leaves fewer good sets than asked for", () => {
  const flags = fc.array(fc.record({ isGood: fc.boolean(), isKept: fc.boolean() }), {
    minLength: 1,
    maxLength: 12,
  });
  fc.assert(
    fc.property(flags, fc.integer({ min: 0, max: 5 }), (all, count) => {
      const sets = all.map((each, index) => set(28 - index, { isKept: each.isKept }));
      const isGood = (each: BackupSet) => all[sets.indexOf(each)]!.isGood;
      const { kept } = planKeep(sets, { count, windowSeconds: undefined, nowMs: 0 }, isGood);
      const good = sets.filter(isGood).length;
      assert.ok(kept.filter(isGood).length >= Math.min(good, Math.max(1, count)));
    }),
  );
});
