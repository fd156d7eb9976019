import type { TextReceiver } from "@skytools/skytools";

/** Writes one result while its rows come in. */
export interface ResultWriter extends TextReceiver {
  /** The statement has ended.
   * @param tag the server's word for it, where the user is to see it */
  end(tag?: string): void;
  /** The statement has failed: what is written gets its end. */
  abandon(): void;
}

/** Everything that the console says on standard output. */
export interface Printer {
  table(title?: string): ResultWriter;
  /** the outcome of a change: `CREATE` */
  status(text: string): void;
  /** a sentence for the user */
  message(text: string): void;
  /** text that is laid out already, and what it says as data */
  document(text: string, data: Readonly<Record<string, unknown>>): void;
}
