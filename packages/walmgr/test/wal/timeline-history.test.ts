import assert from "node:assert/strict";
import { test } from "node:test";
import { parseLsn } from "#src/wal/lsn.js";
import { parseHistory, timelineAt, whyUnreachable } from "#src/wal/timeline-history.js";

const text = "# comment\n1\t0/5000000\tno recovery target specified\n\n2\t0/9000060\tbefore 2026\n";

test("a history names the timeline of each position", () => {
  const history = parseHistory(3, text);
  assert.equal(timelineAt(history, parseLsn("0/4FFFFFF")), 1);
  assert.equal(timelineAt(history, parseLsn("0/5000000")), 2);
  assert.equal(timelineAt(history, parseLsn("0/9000060")), 3);
});

test("a backup from after the fork cannot reach the other branch", () => {
  const history = parseHistory(3, text);
  assert.equal(whyUnreachable(history, { timeline: 1, lsn: parseLsn("0/4000028") }), undefined);
  assert.equal(whyUnreachable(history, { timeline: 3, lsn: parseLsn("0/F000028") }), undefined);
  assert.match(
    whyUnreachable(history, { timeline: 1, lsn: parseLsn("0/6000028") }) ?? "",
    /left timeline 1 at 0\/5000000/,
  );
  assert.match(whyUnreachable(history, { timeline: 4, lsn: 0n }) ?? "", /does not descend/);
});

test("a damaged history is refused", () => {
  assert.throws(() => parseHistory(2, "1 nonsense"), /bad line/);
  assert.throws(() => parseHistory(2, "1\t0/1\tx\n1\t0/2\tx\n"), /ascending/);
});
