import type { RawRow, TextColumn } from "@skytools/skytools";
import { cellLines, textWidth } from "./cell-text.ts";
import type { ResultWriter } from "./printer.ts";

/** A result with a line for each column of each row, as psql's expanded output. */
export class ExpandedWriter implements ResultWriter {
  readonly #write: (text: string) => void;
  readonly #title: string | undefined;
  readonly #nullText: string;
  #labels: string[] | undefined;
  #labelWidth = 0;
  #rows = 0;

  constructor(write: (text: string) => void, title: string | undefined, nullText: string) {
    this.#write = write;
    this.#title = title;
    this.#nullText = nullText;
  }

  onColumns(columns: readonly TextColumn[]): void {
    this.#finish();
    this.#labels = columns.map(({ name }) => name);
    this.#labelWidth = Math.max(0, ...this.#labels.map(textWidth));
  }

  onRow(row: RawRow): void {
    if (this.#rows++ === 0) this.#writeTitle();
    const heading = `-[ RECORD ${this.#rows} ]`;
    this.#write(`${heading.padEnd(this.#labelWidth + 1, "-")}${"-".repeat(20)}\n`);
    for (const [at, value] of row.entries()) {
      const label = this.#labels?.[at] ?? "";
      for (const [line, text] of cellLines(value, this.#nullText).entries()) {
        const shown = line === 0 ? label : "";
        this.#write(`${shown}${" ".repeat(this.#labelWidth - textWidth(shown))} | ${text}\n`);
      }
    }
  }

  onCopyData(chunk: Buffer): void {
    this.#write(chunk.toString());
  }

  end(tag?: string): void {
    this.#finish();
    if (tag !== undefined && tag !== "") this.#write(`${tag}\n`);
  }

  abandon(): void {
    if (this.#rows > 0) this.#finish();
  }

  #finish(): void {
    if (this.#labels === undefined) return;
    if (this.#rows === 0) this.#writeTitle();
    this.#write(this.#rows === 0 ? "(no rows)\n\n" : "\n");
    this.#labels = undefined;
    this.#rows = 0;
  }

  #writeTitle(): void {
    if (this.#title !== undefined) this.#write(`${this.#title}\n`);
  }
}
