import assert from "node:assert/strict";
import { test } from "node:test";
import { formatBytes, formatCount, formatDuration, formatRate } from "#src/index.js";

test("sizes", () => {
  const cases: [number | bigint, string][] = [
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1.0 KiB"],
    [1536n, "1.5 KiB"],
    [1048575, "1.0 MiB"],
    [200_000_000, "190.7 MiB"],
    [5n * 1024n ** 4n, "5.0 TiB"],
    [10n ** 20n, "88817.8 PiB"],
    [-2048, "-2.0 KiB"],
  ];
  for (const [bytes, text] of cases) assert.equal(formatBytes(bytes), text);
  assert.equal(formatRate(1536), "1.5 KiB/s");
});

test("counts and durations", () => {
  assert.equal(formatCount(1234567), "1,234,567");
  assert.equal(formatCount(10n ** 18n), "1,000,000,000,000,000,000");
  const cases: [number, string][] = [
    [0.04, "0.0s"],
    [9.94, "9.9s"],
    [9.96, "10s"],
    [59.4, "59s"],
    [59.6, "1m 00s"],
    [125, "2m 05s"],
    [3599.7, "1h 00m"],
    [10_980, "3h 03m"],
    [86_399, "1d 00h"],
    [180_000, "2d 02h"],
    [-1, "0.0s"],
    [Number.POSITIVE_INFINITY, "unknown"],
  ];
  for (const [seconds, text] of cases) assert.equal(formatDuration(seconds), text, String(seconds));
});
