import assert from "node:assert/strict";
import { it } from "node:test";
import { openMetricsText } from "#src/monitor/open-metrics.js";

it("metrics come out as OpenMetrics text, hostile labels escaped, unknown values left out", () => {
  const text = openMetricsText([
    {
      name: "lag_seconds",
      type: "gauge",
      unit: "seconds",
      help: 'A "lag".',
      samples: [
        { labels: { queue: 'a"b\\c\nd' }, value: 1.5 },
        { labels: { queue: "e" }, value: undefined },
      ],
    },
    {
      name: "ticks",
      type: "counter",
      help: "Ticks.",
      samples: [{ labels: {}, value: 12345678901234567890n }],
    },
  ]);
  assert.equal(
    text,
    [
      "# TYPE lag_seconds gauge",
      "# UNIT lag_seconds seconds",
      '# HELP lag_seconds A \\"lag\\".',
      'lag_seconds{queue="a\\"b\\\\c\\nd"} 1.5',
      "# TYPE ticks counter",
      "# HELP ticks Ticks.",
      "ticks_total 12345678901234567890",
      "# EOF",
      "",
    ].join("\n"),
  );
});
