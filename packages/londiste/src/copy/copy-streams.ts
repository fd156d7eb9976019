import type { Database } from "@skytools/skytools";
import { crashPoint, pipeCopy, quoteLiteral, SkytoolsError } from "@skytools/skytools";
import type { CopyProgress } from "./copy-progress.ts";

/** Smallest piece of a table that a stream takes at once, in blocks of the source. */
const smallestPieceBlocks = 16;
/** So many pieces there are for each stream: one that has had the fuller pieces leaves the rest to the others. */
const piecesPerStream = 8;

/** The two sessions of one stream. */
export interface CopyStream {
  /** in REPEATABLE READ, no transaction open */
  readonly source: Database;
  /** session in replication role replica, no transaction open */
  readonly target: Database;
}

export interface StreamedCopy {
  /** the session whose snapshot all streams read; its transaction is open and has the table locked */
  readonly source: Database;
  /** the emptied table, as SQL */
  readonly targetTable: string;
  /** of the emptied table, see tableFile() */
  readonly targetFile: string;
  readonly streams: number;
  openStream(nr: number): Promise<CopyStream>;
  /** how many blocks the source's table has */
  readonly sourceBlocks: number;
  /** @param rows condition for the rows of a piece */
  readonly copyFrom: (rows: string) => string;
  readonly copyInto: string;
  /** of rows on their way, for each statement anew */
  readonly rowChange: () => Pick<NonNullable<Parameters<typeof pipeCopy>[4]>, "transform">;
  readonly progress: CopyProgress;
}

export interface StreamedRows {
  readonly bytes: number;
  readonly rows: bigint;
  /** sessions of the streams, no transaction open */
  readonly targets: readonly Database[];
}

/** The file that a table's rows are in: it changes each time the table is emptied, or written anew. */
export async function tableFile(db: Database, quotedName: string): Promise<string> {
  const file = await db.queryValue<string>(
    `select pg_catalog.pg_relation_filenode(${quoteLiteral(quotedName)}::regclass)::text`,
  );
  if (file == null) throw new SkytoolsError("COPY", `${quotedName} has no storage of its own (${db.label})`);
  return file;
}

/** Loads an emptied table over several connections at once, all reading one snapshot. Each stream is a transaction of its own,
 * committed when all have their rows; so this is for tables that nobody takes for copied before the caller says so.
 *
 * A stream whose process was given up may still be at work on the server, or about to begin, when the next attempt has emptied
 * the table again. Emptying waits for the lock of those that have begun; and those that begin afterwards find another file
 * behind their lock, and end without having written.
 * @throws DatabaseError, SkytoolsError of the stream that failed first; nothing was committed then, or the table has to be
 * emptied again */
export async function copyInStreams(copy: StreamedCopy): Promise<StreamedRows> {
  const snapshot = await copy.source.queryValue<string>("select pg_catalog.pg_export_snapshot()");
  if (snapshot === undefined) throw new SkytoolsError("COPY", "no snapshot from the source");
  const pieces = cutInPieces(copy.sourceBlocks, copy.streams);
  const given = new AbortController();
  const counts = { bytes: 0, rows: 0n };
  const streams: CopyStream[] = [];
  const load = async (nr: number): Promise<void> => {
    try {
      const stream = await copy.openStream(nr);
      streams.push(stream);
      await beginStream(copy, stream, snapshot);
      for (let piece = pieces.shift(); piece !== undefined; piece = pieces.shift()) {
        await loadPiece(copy, stream, piece, counts, given.signal);
      }
      await stream.source.rollback();
    } catch (error) {
      given.abort(error);
      throw error;
    }
  };
  const results = await Promise.allSettled(Array.from({ length: copy.streams }, (_, nr) => load(nr + 1)));
  if (given.signal.aborted) {
    await Promise.allSettled(streams.flatMap(({ source, target }) => [source.rollback(), target.rollback()]));
    throw given.signal.reason ?? results.find((result) => result.status === "rejected")?.reason;
  }
  crashPoint("copy.before-stream-commit");
  for (const [nr, { target }] of streams.entries()) {
    await target.commit();
    if (nr === 0) crashPoint("copy.after-stream-commit");
  }
  return { ...counts, targets: streams.map(({ target }) => target) };
}

/** Conditions that together meet each row once. The last has no upper end, for a table that has grown. */
function cutInPieces(blocks: number, streams: number): string[] {
  const size = Math.max(smallestPieceBlocks, Math.ceil(blocks / (streams * piecesPerStream)));
  const count = Math.max(1, Math.ceil(blocks / size));
  return Array.from({ length: count }, (_, nr) => {
    const from = `ctid >= '(${nr * size},0)'::tid`;
    return nr === count - 1 ? from : `${from} and ctid < '(${(nr + 1) * size},0)'::tid`;
  });
}

async function beginStream(
  copy: StreamedCopy,
  { source, target }: CopyStream,
  snapshot: string,
): Promise<void> {
  await source.execute(`set transaction snapshot ${quoteLiteral(snapshot)}`);
  await target.execute(`lock table only ${copy.targetTable} in row exclusive mode`);
  if ((await tableFile(target, copy.targetTable)) === copy.targetFile) return;
  throw new SkytoolsError("COPY", `${copy.targetTable} was emptied by somebody else (${target.label})`, {
    retry: "later",
  });
}

async function loadPiece(
  copy: StreamedCopy,
  { source, target }: CopyStream,
  piece: string,
  counts: { bytes: number; rows: bigint },
  signal: AbortSignal,
): Promise<void> {
  let bytes = 0;
  const { rows } = await pipeCopy(source, copy.copyFrom(piece), target, copy.copyInto, {
    onProgress: (now) => {
      counts.bytes += now - bytes;
      bytes = now;
      copy.progress.bytes(counts.bytes);
    },
    signal,
    ...copy.rowChange(),
  });
  counts.rows += rows;
  copy.progress.finishedRows(rows);
}
