import type { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Database } from "./database.ts";

export interface PipeCopyOptions {
  /** called with the bytes of rows sent so far, for each chunk */
  readonly onProgress?: (bytes: number) => void;
  readonly transform?: Transform;
  readonly signal?: AbortSignal;
}

/** Copies rows from one database into another, a `COPY ... TO STDOUT` into a `COPY ... FROM STDIN`, with
 * back-pressure and without looking at the rows.
 * @returns bytes of rows taken from the source, and rows that the target took
 * @throws DatabaseError of the side that failed first */
export async function pipeCopy(
  source: Database,
  fromSql: string,
  target: Database,
  toSql: string,
  options: PipeCopyOptions = {},
): Promise<{ bytes: number; rows: bigint }> {
  const from = source.copyOut(fromSql);
  const to = target.copyIn(toSql);
  from.on("data", () => options.onProgress?.(from.bytes));
  const signal = options.signal === undefined ? {} : { signal: options.signal };
  if (options.transform === undefined) await pipeline(from, to, signal);
  else await pipeline(from, options.transform, to, signal);
  return { bytes: from.bytes, rows: (await to.done).rows };
}
