import { toJson } from "@skytools/skytools";
import { JsonWriter } from "./json-writer.ts";
import type { Printer, ResultWriter } from "./printer.ts";

/** Output for programs: one JSON object on a line of its own for whatever a command says. */
export class JsonPrinter implements Printer {
  readonly #write: (text: string) => void;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  table(title?: string): ResultWriter {
    return new JsonWriter(this.#write, title);
  }

  status(text: string): void {
    this.#object({ status: text });
  }

  message(text: string): void {
    this.#object({ message: text });
  }

  document(_text: string, data: Readonly<Record<string, unknown>>): void {
    this.#object(data);
  }

  #object(data: Readonly<Record<string, unknown>>): void {
    this.#write(`${toJson(data)}\n`);
  }
}
