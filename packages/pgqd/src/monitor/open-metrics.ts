/** One family of metrics as OpenMetrics has it. */
export interface MetricFamily {
  /** without the suffix that a sample of a counter or info has */
  readonly name: string;
  readonly type: "gauge" | "counter" | "info";
  readonly unit?: "seconds" | "bytes";
  readonly help: string;
  readonly samples: readonly MetricSample[];
}

export interface MetricSample {
  readonly labels: Readonly<Record<string, string>>;
  /** undefined: unknown, the sample is left out */
  readonly value: number | bigint | undefined;
}

export const openMetricsType = "application/openmetrics-text; version=1.0.0; charset=utf-8";

const suffixes = { gauge: "", counter: "_total", info: "_info" } as const;

/** Source: OpenMetrics 1.0, text format */
export function openMetricsText(families: readonly MetricFamily[]): string {
  const lines: string[] = [];
  for (const { name, type, unit, help, samples } of families) {
    lines.push(`# TYPE ${name} ${type}`);
    if (unit !== undefined) lines.push(`# UNIT ${name} ${unit}`);
    lines.push(`# HELP ${name} ${escapeText(help)}`);
    for (const { labels, value } of samples) {
      if (value !== undefined) lines.push(`${name}${suffixes[type]}${labelText(labels)} ${value}`);
    }
  }
  return `${lines.join("\n")}\n# EOF\n`;
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeText(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escapeText(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
