import assert from "node:assert/strict";
import { test } from "node:test";
import { WriteStream } from "node:tty";
import { ProgressDisplay } from "#src/index.js";
import { barLine } from "#src/terminal/progress.js";
import { ProgressItem } from "#src/terminal/progress-item.js";

const MiB = 1024 * 1024;

test("percent, rate and remaining time come from the last seconds", () => {
  let now = 0;
  const item = new ProgressItem("public.users", { bytes: 100 * MiB }, () => now);
  assert.equal(item.fraction, 0);
  assert.equal(item.remainingSeconds, undefined);
  for (now = 1000; now <= 20_000; now += 1000) item.update({ bytes: (now / 1000) * MiB, rows: now });
  now = 20_000;
  for (now = 21_000; now <= 40_000; now += 1000)
    item.update({ bytes: (20 + ((now - 20_000) / 1000) * 2) * MiB });
  now = 40_000;
  assert.equal(item.fraction, 0.6);
  assert.ok(Math.abs(item.bytesPerSecond - 2 * MiB) < 1, String(item.bytesPerSecond));
  assert.ok(Math.abs((item.remainingSeconds ?? 0) - 20) < 0.1);
  assert.equal(item.describe(), "60%, 20,000 rows, 60.0 MiB, 2.0 MiB/s, ETA 20s");
  item.end();
  assert.equal(item.describe(), "done, 20,000 rows, 60.0 MiB, 1.5 MiB/s, 40s");
});

test("totals may be estimates, rows or unknown", () => {
  let now = 0;
  const low = new ProgressItem("t", { bytes: 10n }, () => now);
  const rows = new ProgressItem("t", { rows: 1000n }, () => now);
  const unknown = new ProgressItem("t", {}, () => now);
  now = 1000;
  low.update({ bytes: 20 });
  rows.update({ rows: 250n });
  unknown.update({ rows: 250 });
  assert.equal(low.describe(), "99%, 20 B, 20 B/s, ETA 0.0s");
  assert.equal(rows.describe(), "25%, 250 rows, ETA 3.0s");
  assert.equal(unknown.describe(), "250 rows");
  unknown.end("failed");
  assert.equal(unknown.describe(), "failed, 250 rows, 1.0s");
});

test("without a terminal: a line for each item from time to time and one at its end", () => {
  let now = 0;
  const lines: string[] = [];
  const display = new ProgressDisplay({
    isTerminal: false,
    line: (text) => lines.push(text),
    lineIntervalMs: 5000,
    now: () => now,
  });
  const users = display.add("users", { rows: 100 });
  const orders = display.add("orders");
  for (now = 1000; now <= 12_000; now += 1000) users.update({ rows: now / 1000 });
  now = 12_000;
  orders.end("skipped");
  users.end();
  users.end("again");
  display.stop();
  display.stop();
  assert.deepEqual(lines, [
    "users: 5%, 5 rows, ETA 1m 35s",
    "users: 10%, 10 rows, ETA 1m 30s",
    "orders: skipped, 0 rows, 12s",
    "users: done, 12 rows, 12s",
  ]);
});

test("a line of the display is cut to the terminal", () => {
  const item = new ProgressItem("public.a_table_with_a_name_longer_than_its_column", { rows: 4 }, () => 0);
  item.update({ rows: 2 });
  const line = barLine(item, 70);
  assert.equal(line, "public.a_table_with_a_name_lo~ [==========----------] 50%, 2 rows");
  assert.equal(barLine(item, 40).length, 40);
  assert.equal(barLine(item, 0), line);
});

test("on a terminal each item has its bar and the cursor comes back", () => {
  const written: string[] = [];
  const stream: WriteStream = Object.assign(Object.create(WriteStream.prototype), {
    isTTY: true,
    columns: 100,
    write: (text: string) => written.push(text),
    cursorTo: () => true,
    moveCursor: () => true,
    clearLine: () => true,
    on: () => stream,
    removeListener: () => stream,
  });
  const display = new ProgressDisplay({ stream, isTerminal: true });
  const users = display.add("users", { rows: 10 });
  display.add("orders").update({ rows: 3 });
  users.update({ rows: 5 });
  users.end();
  display.stop();
  const output = written.join("");
  assert.match(output, /users {26}\[={20}\] done, 5 rows/);
  assert.match(output, /orders {25}\[ {20}\] 3 rows/);
  assert.ok(output.endsWith("\u001b[?25h") || output.includes("\u001b[?25h"));
});
