import type { LogSink } from "./stream-handler.ts";
import { writeFully } from "./write-fully.ts";

/** Writes to this process's standard error. */
export const stderrSink: LogSink = {
  write: (text) => writeFully(2, text),
};
