import { once } from "node:events";
import type { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { CopyReceiver } from "./copy-receiver.ts";
import { CopySender } from "./copy-sender.ts";
import type { Database } from "./database.ts";

export interface PipeCopyOptions {
  /** called often, with the bytes of rows received so far */
  readonly onProgress?: (bytes: number) => void;
  /** sees the bytes of the rows, cut anywhere, on their way; must neither keep nor change them */
  readonly onRows?: (bytes: Buffer) => void;
  /** rewrites the bytes of the rows, cut anywhere, on their way; costs the fast path */
  readonly transform?: Transform;
  /** ends the copy: the source is cancelled and the target rejects what it got */
  readonly signal?: AbortSignal;
}

export interface PipeCopyResult {
  /** bytes of rows taken from the source */
  readonly bytes: number;
  /** rows that the target took */
  readonly rows: bigint;
}

/** Copies rows from one database into another, a `COPY ... TO STDOUT` into a `COPY ... FROM STDIN`, with
 * back-pressure and without looking at the rows. When it fails, both sessions have ended their statement (or are
 * broken) and an open transaction on either side has failed: roll back.
 * @throws DatabaseError of the side that failed first; the signal's reason after an abort */
export async function pipeCopy(
  source: Database,
  fromSql: string,
  target: Database,
  toSql: string,
  options: PipeCopyOptions = {},
): Promise<PipeCopyResult> {
  options.signal?.throwIfAborted();
  if (options.transform !== undefined) return await pipeRows(source, fromSql, target, toSql, options);
  return await pipeSockets(source, fromSql, target, toSql, options);
}

/** Socket to socket without streams between: what one read of the source delivers is unpacked in place and becomes
 * one CopyData message to the target, which spares the target a message for each row. */
async function pipeSockets(
  source: Database,
  fromSql: string,
  target: Database,
  toSql: string,
  { onProgress, onRows, signal }: PipeCopyOptions,
): Promise<PipeCopyResult> {
  const failures: unknown[] = [];
  const sender = new CopySender(toSql);
  const receiver = new CopyReceiver(fromSql, (rows) => {
    onRows?.(rows);
    const isRoomLeft = sender.write([rows], rows.length);
    if (!isRoomLeft) sender.onceDrained(() => receiver.resume());
    try {
      onProgress?.(receiver.bytes);
    } catch (error) {
      giveUp(error);
    }
    return isRoomLeft;
  });

  const cancels: Promise<void>[] = [];
  const cancel = (db: Database) => cancels.push(db.cancelRunning());
  const giveUp = (reason: unknown) => {
    failures.push(reason);
    if (!sender.isStarted) cancel(target);
    sender.fail("copy was given up");
    if (receiver.isReceiving) cancel(source);
    receiver.discard();
  };
  const onAbort = () => giveUp(signal?.reason);
  signal?.addEventListener("abort", onAbort);

  const targetEnd = target.runCopy(sender).catch(giveUp);
  try {
    await Promise.race([sender.started, targetEnd]);
    if (sender.isOpen) {
      await source.runCopy(receiver);
      sender.finish();
    }
  } catch (error) {
    giveUp(error);
  }
  await targetEnd;
  signal?.removeEventListener("abort", onAbort);
  await Promise.allSettled(cancels);
  if (failures.length > 0) throw failures[0];
  return { bytes: receiver.bytes, rows: (await sender.outcome).rows };
}

async function pipeRows(
  source: Database,
  fromSql: string,
  target: Database,
  toSql: string,
  { onProgress, onRows, signal, transform }: PipeCopyOptions,
): Promise<PipeCopyResult> {
  const from = source.copyOut(fromSql);
  const to = target.copyIn(toSql);
  from.on("data", (rows: Buffer) => {
    onRows?.(rows);
    onProgress?.(from.bytes);
  });
  try {
    await pipeline(
      [from, ...(transform === undefined ? [] : [transform]), to],
      signal === undefined ? {} : { signal },
    );
  } catch (error) {
    await Promise.allSettled([from.done, to.done]);
    if (!from.closed) await once(from, "close");
    signal?.throwIfAborted();
    throw error;
  }
  return { bytes: from.bytes, rows: (await to.done).rows };
}
