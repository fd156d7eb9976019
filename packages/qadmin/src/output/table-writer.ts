import type { RawRow, TextColumn } from "@skytools/skytools";
import { cellLines, textWidth } from "./cell-text.ts";
import type { ResultWriter } from "./printer.ts";

const minimumWidth = 10;
const gap = 2;
/** The rows that decide on the widths; those after them are written as they come. */
const measuredRows = 1000;

/** A result in columns, all of them left-aligned: title, header, dashes, rows, an empty line.
 * Source: spec/qadmin.md 6 */
export class TableWriter implements ResultWriter {
  readonly #write: (text: string) => void;
  readonly #title: string | undefined;
  readonly #nullText: string;
  #header: string[] | undefined;
  #waiting: string[][][] = [];
  #widths: number[] | undefined;

  constructor(write: (text: string) => void, title: string | undefined, nullText: string) {
    this.#write = write;
    this.#title = title;
    this.#nullText = nullText;
  }

  onColumns(columns: readonly TextColumn[]): void {
    this.#finishTable();
    this.#header = columns.map(({ name }) => name);
  }

  onRow(row: RawRow): void {
    const cells = row.map((value) => cellLines(value, this.#nullText));
    if (this.#widths !== undefined) {
      this.#writeRow(cells, this.#widths);
      return;
    }
    this.#waiting.push(cells);
    if (this.#waiting.length >= measuredRows) this.#begin();
  }

  onCopyData(chunk: Buffer): void {
    this.#write(chunk.toString());
  }

  end(tag?: string): void {
    this.#finishTable();
    if (tag !== undefined && tag !== "") this.#write(`${tag}\n`);
  }

  abandon(): void {
    if (this.#widths !== undefined) this.#finishTable();
  }

  #finishTable(): void {
    if (this.#header === undefined) return;
    if (this.#widths === undefined) this.#begin();
    this.#write("\n");
    this.#header = undefined;
    this.#widths = undefined;
  }

  #begin(): void {
    const header = this.#header ?? [];
    const widths = header.map((title, at) => {
      const cells = this.#waiting.flatMap((row) => row[at] ?? []);
      return cells.reduce(
        (width, cell) => Math.max(width, textWidth(cell)),
        Math.max(minimumWidth, textWidth(title)),
      );
    });
    if (this.#title !== undefined) this.#write(`${this.#title}\n`);
    this.#writeRow(
      header.map((title) => [title]),
      widths,
    );
    this.#writeRow(
      widths.map((width) => ["-".repeat(width)]),
      widths,
    );
    for (const row of this.#waiting) this.#writeRow(row, widths);
    this.#waiting = [];
    this.#widths = widths;
  }

  /** A value with line breaks takes several lines. */
  #writeRow(cells: readonly (readonly string[])[], widths: readonly number[]): void {
    const height = Math.max(1, ...cells.map((lines) => lines.length));
    for (let line = 0; line < height; line++) {
      this.#write(
        `${cells.map((lines, at) => padded(lines[line] ?? "", widths[at]!, at === cells.length - 1)).join("")}\n`,
      );
    }
  }
}

function padded(cell: string, width: number, isLast: boolean): string {
  return isLast ? cell : cell + " ".repeat(Math.max(0, width - textWidth(cell)) + gap);
}
