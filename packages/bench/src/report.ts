import { cpus } from "node:os";
import type { Rates } from "./measure.ts";
import type { Contest, FigureTable } from "./scenario.ts";

/** A contest's outcome as the text table that goes into documents. */
export function contestTable(contest: Contest, rates: readonly Rates[]): string {
  const rows = rates.map((rate) => [
    rate.name,
    `${formatRate(rate.median)} ${contest.unit}/s`,
    `${formatRate(rate.min)} - ${formatRate(rate.max)}`,
    rate.name === contest.baseline ? "1.00 (baseline)" : rate.ratio.toFixed(2),
    rate.memoryMb === undefined ? "" : `${Math.round(rate.memoryMb)} MB`,
  ]);
  return textTable(contest.title, ["", "median", "min - max", "ratio", "memory"], rows);
}

/** Measured figures as a text table. */
export function figureText({ title, columns, rows, bars = [] }: FigureTable): string {
  const cells = rows.map(({ name, figures }) => [
    name,
    ...columns.map(({ key, unit, digits }) => `${figures[key]!.toFixed(digits)} ${unit}`.trimEnd()),
  ]);
  const table = textTable(title, ["", ...columns.map((column) => column.title)], cells);
  return [table, ...bars.map(({ text, isMet }) => `${isMet ? "met" : "MISSED"}: ${text}\n`)].join("");
}

function textTable(title: string, header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => row[column]!.length)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .join("  ");
  return [title, line(header), ...rows.map(line), ""].join("\n");
}

/** What the figures were taken on. */
export function machineLine(): string {
  const processors = cpus();
  return `node ${process.version}, ${process.platform} ${process.arch}, ${processors.length} x ${processors[0]?.model ?? "unknown processor"}`;
}

function formatRate(rate: number): string {
  return rate >= 1000 ? Math.round(rate).toLocaleString("en-US") : rate.toPrecision(3);
}
