import { type ReplicationConnection, SkytoolsError } from "@skytools/skytools";
import { parseLsn } from "../wal/lsn.ts";
import { WalError } from "../wal/wal-error.ts";

/** One directory that a backup holds: the data directory itself (no oid), or a tablespace. */
export interface BackupPart {
  readonly oid: string | undefined;
  /** where the server has it */
  readonly location: string | undefined;
}

/** Takes a base backup as the server sends it. */
export interface BackupReceiver {
  /** A tar archive begins. */
  onPart(part: BackupPart): void;
  /** The bytes are valid during the call only. */
  onData(chunk: Buffer): void;
  /** The manifest follows as data, after the last part. */
  onManifest(): void;
  /** The server's estimate. */
  onTotal?(bytes: number): void;
  /** What the backup is going to have, before the first of it. */
  onParts?(parts: readonly BackupPart[]): void;
}

export interface BaseBackupOptions {
  readonly label: string;
  readonly checkpoint: "fast" | "spread";
  /** kB/s, 0: no limit */
  readonly maxRate: number;
  readonly includesWal: boolean;
  readonly isIncremental: boolean;
}

/** Where a base backup begins and ends. */
export interface BackupRange {
  readonly startLsn: bigint;
  readonly stopLsn: bigint;
  readonly startTimeline: number;
  readonly stopTimeline: number;
}

/** Takes a base backup over a replication connection.
 * @throws DatabaseError
 * Source: PostgreSQL manual, "Streaming Replication Protocol", BASE_BACKUP */
export async function takeBaseBackup(
  connection: ReplicationConnection,
  options: BaseBackupOptions,
  receiver: BackupReceiver,
): Promise<BackupRange> {
  const isModern = connection.serverVersion >= 150000;
  const stream = isModern ? new TypedStream(receiver) : new PlainStreams(receiver);
  const rows: Record<string, string | null>[] = [];
  const sets = await connection.run(isModern ? modernCommand(options) : oldCommand(options), {
    onRow: (row) => {
      rows.push(row);
      if ("spcoid" in row) stream.addPart(row);
    },
    onCopyStart: () => {
      receiver.onTotal?.(stream.totalBytes);
      receiver.onParts?.(stream.parts);
      stream.beginCopy();
    },
    onCopyPiece: (piece, isFirst, isLast) => stream.take(piece, isFirst, isLast),
  });
  const start = sets[0]?.[0];
  const stop = sets.at(-1)?.[0];
  if (start?.recptr == null || stop?.recptr == null)
    throw new WalError("the server gave no position of the backup");
  return {
    startLsn: parseLsn(start.recptr),
    stopLsn: parseLsn(stop.recptr),
    startTimeline: Number(start.tli),
    stopTimeline: Number(stop.tli),
  };
}

function modernCommand(options: BaseBackupOptions): string {
  const words = [
    `LABEL ${literal(options.label)}`,
    "PROGRESS",
    `CHECKPOINT '${options.checkpoint}'`,
    "WAIT false",
    "MANIFEST 'yes'",
    ...(options.includesWal ? ["WAL"] : []),
    ...(options.maxRate > 0 ? [`MAX_RATE ${options.maxRate}`] : []),
    ...(options.isIncremental ? ["INCREMENTAL"] : []),
  ];
  return `BASE_BACKUP (${words.join(", ")})`;
}

/** PostgreSQL 14 has the options without commas, in this order or any other. */
function oldCommand(options: BaseBackupOptions): string {
  return [
    "BASE_BACKUP",
    `LABEL ${literal(options.label)}`,
    "PROGRESS",
    ...(options.checkpoint === "fast" ? ["FAST"] : []),
    ...(options.includesWal ? ["WAL"] : []),
    "NOWAIT",
    ...(options.maxRate > 0 ? [`MAX_RATE ${options.maxRate}`] : []),
    "MANIFEST 'yes'",
  ].join(" ");
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

abstract class BackupStream {
  protected readonly receiver: BackupReceiver;
  readonly parts: BackupPart[] = [];
  totalBytes = 0;

  constructor(receiver: BackupReceiver) {
    this.receiver = receiver;
  }

  addPart(row: Readonly<Record<string, string | null>>): void {
    this.parts.push({ oid: row.spcoid ?? undefined, location: row.spclocation ?? undefined });
    this.totalBytes += Number(row.size ?? 0) * 1024;
  }

  abstract beginCopy(): void;
  /** A message, or a piece of one. */
  abstract take(piece: Buffer, isFirst: boolean, isLast: boolean): void;
}

const messageKind = { archive: 0x6e, data: 0x64, manifest: 0x6d, progress: 0x70 } as const;

/** PostgreSQL 15 and newer: one copy, whose messages begin with their kind. */
class TypedStream extends BackupStream {
  /** pieces of a message that is no data */
  #begun: Buffer[] = [];

  beginCopy(): void {}

  take(piece: Buffer, isFirst: boolean, isLast: boolean): void {
    const isData = isFirst ? piece[0] === messageKind.data : this.#begun.length === 0;
    if (isData) {
      const content = isFirst ? piece.subarray(1) : piece;
      if (content.length > 0) this.receiver.onData(content);
      return;
    }
    this.#begun.push(Buffer.from(piece));
    if (!isLast) return;
    const message = Buffer.concat(this.#begun);
    this.#begun = [];
    this.#takeWhole(message);
  }

  #takeWhole(message: Buffer): void {
    switch (message[0] ?? 0) {
      case messageKind.archive: {
        const [name = "", location = ""] = message.toString("utf8", 1).split("\0");
        const oid = /^(\d+)\.tar$/.exec(name)?.[1];
        this.receiver.onPart({ oid, location: location === "" ? undefined : location });
        return;
      }
      case messageKind.manifest:
        this.receiver.onManifest();
        return;
      case messageKind.progress:
        return;
      default:
        throw new SkytoolsError("WAL", `unknown message in a base backup: ${message[0]}`);
    }
  }
}

/** PostgreSQL 14: a copy for each part, then one for the manifest. */
class PlainStreams extends BackupStream {
  #next = 0;

  beginCopy(): void {
    const part = this.parts[this.#next];
    this.#next += 1;
    if (part === undefined) this.receiver.onManifest();
    else this.receiver.onPart(part);
  }

  take(piece: Buffer): void {
    this.receiver.onData(piece);
  }
}
