import { createHash } from "node:crypto";
import { type SkytoolsError, toJson } from "@skytools/skytools";
import { fileInTheWay, writeWholeFile } from "../whole-file.ts";
import type { LostEvent } from "./lost-events.ts";

/** A dump file as it was written. */
export interface DumpFile {
  readonly path: string;
  /** 0: there is none */
  readonly eventCount: number;
  /** of the whole file, in hex */
  readonly sha256: string;
}

/** Writes lost events as a JSON array, one object a line; whole or not at all. No events: no file. A file that is there already
 * stays if it holds the very same.
 * @throws SkytoolsError DUMP_FILE when another file is in the way
 * Source: spec/cascade.md section 12 "Dump file" */
export async function writeDumpFile(path: string, events: AsyncIterable<LostEvent>): Promise<DumpFile> {
  let eventCount = 0;
  const hash = createHash("sha256");
  await writeWholeFile(path, async (write) => {
    const writeHashed = async (text: string) => {
      hash.update(text);
      await write(text);
    };
    for await (const event of events) {
      await writeHashed(`${eventCount === 0 ? "[\n" : ",\n"}${eventLine(event)}`);
      eventCount += 1;
    }
    if (eventCount > 0) await writeHashed("\n]\n");
  });
  return { path, eventCount, sha256: hash.digest("hex") };
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
