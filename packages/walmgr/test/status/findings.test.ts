import assert from "node:assert/strict";
import { test } from "node:test";
import { spaceFindings } from "#src/status/findings.js";

const gib = 1 << 30;

function space(freeBytes: number, secondsUntilFull: number | null, sizeBytes = gib) {
  const backup = { name: "data.master", id: "x", stopTime: "", ageSeconds: 1, isIncremental: false };
  return spaceFindings({ freeBytes, secondsUntilFull, backups: [{ ...backup, sizeBytes }] }).map(
    ({ check, severity, text }) => `${severity} ${check}: ${text}`,
  );
}

test("free space is judged by when it ends, and by what the next backup needs", () => {
  assert.deepEqual(space(4 * gib, null), ["ok space: 4.0 GiB free"]);
  assert.match(space(4 * gib, 10 * 86_400)[0]!, /^ok space: .* full in /);
  assert.match(space(4 * gib, 2 * 86_400)[0]!, /^warning space: /);
  assert.match(space(4 * gib, 3600)[0]!, /^critical space: /);
  assert.deepEqual(
    space(gib / 2, null)[1],
    "warning backup space: the last full backup took 1.0 GiB, 512.0 MiB are free for the next one",
  );
});
