import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { SkytoolsError } from "@skytools/skytools";
import { lineReader } from "../whole-file.ts";
import type { DumpFile } from "./dump-file.ts";

const textKeys = ["ev_type", "ev_data", "ev_extra1", "ev_extra2", "ev_extra3", "ev_extra4"] as const;

/** What of a dumped event goes into a queue again. */
export type DumpedEvent = Readonly<Record<(typeof textKeys)[number], string | null>> & {
  readonly ev_time: string;
};

/** Reads a dump file, event by event. Whether it is the right one is known at its end only: until then nothing that was made of its
 * events may be kept.
 * @param expected what was written; undefined when nobody has noted it
 * @throws SkytoolsError DUMP_FILE when it is another file, damaged, or not there */
export async function* readDumpFile(
  path: string,
  expected: DumpFile | undefined,
): AsyncGenerator<DumpedEvent, void> {
  if (expected?.eventCount === 0) return;
  const hash = createHash("sha256");
  let count = 0;
  try {
    for await (const event of dumpedEvents(lineReader(path, (bytes) => hash.update(bytes)))) {
      yield event;
      count += 1;
    }
  } catch (error) {
    throw unfit(path, reasonOf(error), expected);
  }
  if (expected === undefined) return;
  if (count !== expected.eventCount) throw unfit(path, `it holds ${count} events`, expected);
  if (hash.digest("hex") !== expected.sha256) throw unfit(path, "it holds something else", expected);
}

/** Reads a dump file to its end and keeps nothing. @throws as {@link readDumpFile} */
export async function checkDumpFile(path: string, expected: DumpFile | undefined): Promise<void> {
  const events = readDumpFile(path, expected);
  while ((await events.next()).done !== true);
}

/** Why a file is none of lost events. */
class NoDumpFile extends Error {}

async function* dumpedEvents(lines: AsyncIterable<string>): AsyncGenerator<DumpedEvent, void> {
  let number = 0;
  let before: "nothing" | "opened" | "event" | "comma" | "closed" = "nothing";
  for await (const line of lines) {
    number += 1;
    if (before === "nothing" && line === "[") before = "opened";
    else if (before === "event" && line === "]") before = "closed";
    else if (before === "opened" || before === "comma") {
      before = line.endsWith(",") ? "comma" : "event";
      yield parseEvent(before === "comma" ? line.slice(0, -1) : line, number);
    } else throw new NoDumpFile(`line ${number} does not belong there`);
  }
  if (before !== "closed") throw new NoDumpFile(number === 0 ? "it is empty" : "it ends in the middle");
}

function parseEvent(text: string, lineNumber: number): DumpedEvent {
  const noEvent = new NoDumpFile(`line ${lineNumber} is not an event`);
  let event: unknown;
  try {
    event = JSON.parse(text);
  } catch {
    throw noEvent;
  }
  if (!isDumpedEvent(event)) throw noEvent;
  return event;
}

function isDumpedEvent(value: unknown): value is DumpedEvent {
  if (typeof value !== "object" || value === null) return false;
  const fields = new Map<string, unknown>(Object.entries(value));
  return (
    typeof fields.get("ev_time") === "string" &&
    textKeys.every((key) => fields.get(key) === null || typeof fields.get(key) === "string")
  );
}

function reasonOf(error: unknown): string {
  if (error instanceof NoDumpFile) return error.message;
  const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
  if (code === "ENOENT") return "there is no such file";
  return code === "ERR_ENCODING_INVALID_ENCODED_DATA" ? "it is not UTF-8" : `it cannot be read (${code})`;
}

function unfit(path: string, reason: string, expected: DumpFile | undefined): SkytoolsError {
  const place = resolve(path);
  if (expected === undefined) {
    return new SkytoolsError("DUMP_FILE", `${place} is not a file of lost events: ${reason}`, {
      hint: "The run before has removed them from the queue: give the file that it wrote with --file, or leave out --requeue when it found none.",
    });
  }
  const { path: written, eventCount } = expected;
  return new SkytoolsError(
    "DUMP_FILE",
    `${place} is not the file of the ${eventCount} lost events that are to be merged: ${reason}`,
    { hint: `An earlier run wrote that as ${written}: give its place with --file. Nothing was changed.` },
  );
}
