import { ExpandedWriter } from "./expanded-writer.ts";
import type { Printer, ResultWriter } from "./printer.ts";
import { TableWriter } from "./table-writer.ts";

/** Output for people. */
export class TextPrinter implements Printer {
  readonly #write: (text: string) => void;
  isExpanded: boolean;
  /** what stands for null */
  nullText = "";

  constructor(write: (text: string) => void, isExpanded: boolean) {
    this.#write = write;
    this.isExpanded = isExpanded;
  }

  table(title?: string): ResultWriter {
    const Writer = this.isExpanded ? ExpandedWriter : TableWriter;
    return new Writer(this.#write, title, this.nullText);
  }

  status(text: string): void {
    this.#write(`${text}\n`);
  }

  message(text: string): void {
    this.#write(`${text}\n`);
  }

  document(text: string): void {
    this.#write(text.endsWith("\n") ? text : `${text}\n`);
  }
}
