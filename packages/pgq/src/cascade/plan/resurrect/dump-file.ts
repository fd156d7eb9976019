import { existsSync } from "node:fs";
import { type SkytoolsError, toJson } from "@skytools/skytools";
import { fileInTheWay, lineReader, writeWholeFile } from "../whole-file.ts";
import type { LostEvent } from "./lost-events.ts";

/** Writes lost events as a JSON array, one object a line; whole or not at all. No events: no file. A file that is there already
 * stays if it holds the very same.
 * @returns number of events
 * @throws SkytoolsError DUMP_FILE when another file is in the way
 * Source: spec/cascade.md section 12 "Dump file" */
export async function writeDumpFile(path: string, events: AsyncIterable<LostEvent>): Promise<number> {
  let count = 0;
  await writeWholeFile(path, async (write) => {
    for await (const event of events) {
      await write(`${count === 0 ? "[\n" : ",\n"}${eventLine(event)}`);
      count += 1;
    }
    if (count > 0) await write("\n]\n");
  });
  return count;
}

export function dumpFileExists(path: string): SkytoolsError {
  return fileInTheWay(
    `Dump file exists, cannot perform resurrection: ${path}`,
    ", or give this one another name with --file",
  );
}

/** The keys are those of the original's file. */
function eventLine({ event, tickId, previousTickId }: LostEvent): string {
  return toJson({
    ev_id: event.id,
    ev_type: event.type,
    ev_data: event.data,
    ev_extra1: event.extra1,
    ev_extra2: event.extra2,
    ev_extra3: event.extra3,
    ev_extra4: event.extra4,
    ev_time: isoTime(event.time),
    ev_txid: event.txid,
    ev_retry: event.retry,
    tick_id: tickId,
    prev_tick_id: previousTickId,
  });
}

/** @param time timestamptz as the server writes it in ISO style, for example `2026-11-28 04:05:06.78+00` */
function isoTime(time: string): string {
  return time.replace(" ", "T").replace(/([+-]\d\d)$/, "$1:00");
}

/** What of a dumped event goes into a queue again. */
export interface DumpedEvent {
  readonly ev_type: string | null;
  readonly ev_data: string | null;
  readonly ev_extra1: string | null;
  readonly ev_extra2: string | null;
  readonly ev_extra3: string | null;
  readonly ev_extra4: string | null;
  readonly ev_time: string;
}

/** Reads a dump file, event by event; nothing when there is none. */
export async function* readDumpFile(path: string): AsyncGenerator<DumpedEvent, void> {
  if (!existsSync(path)) return;
  for await (const line of lineReader(path)) {
    const text = line.replace(/,$/, "");
    if (text !== "[" && text !== "]" && text !== "") yield JSON.parse(text) as DumpedEvent;
  }
}
