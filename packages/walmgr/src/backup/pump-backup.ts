import type { ReplicationConnection } from "@skytools/skytools";
import { type BackupPart, type BackupRange, type BaseBackupOptions, takeBaseBackup } from "./base-backup.ts";

/** Who writes a base backup: parts with data, then the manifest with data. */
export interface BackupWriter {
  beginPart(part: BackupPart): void;
  beginManifest(): void;
  /** @param chunk valid during the call only
   * @returns false when the caller should wait for `drained` */
  data(chunk: Buffer): boolean;
  drained(): Promise<void>;
}

export interface BackupProgress {
  /** the server's estimate */
  onTotal?(bytes: number): void;
  /** before anything is written; what it throws ends the backup */
  onParts?(parts: readonly BackupPart[]): void;
  /** so far */
  onBytes(bytes: number): void;
}

/** Takes a base backup to who writes it; the server waits while that one is behind.
 * @throws DatabaseError, or what the writer throws */
export async function pumpBackup(
  connection: ReplicationConnection,
  options: BaseBackupOptions,
  writer: BackupWriter,
  progress: BackupProgress,
): Promise<BackupRange> {
  let bytes = 0;
  let isWaiting = false;
  let failure: Error | undefined;
  const wait = async (): Promise<void> => {
    isWaiting = true;
    connection.pause();
    try {
      await writer.drained();
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
    }
    isWaiting = false;
    connection.resume();
  };
  return takeBaseBackup(connection, options, {
    onTotal: (total) => progress.onTotal?.(total),
    onParts: (parts) => progress.onParts?.(parts),
    onPart: (part) => writer.beginPart(part),
    onManifest: () => writer.beginManifest(),
    onData: (chunk) => {
      if (failure !== undefined) throw failure;
      bytes += chunk.length;
      if (!writer.data(chunk) && !isWaiting) void wait();
      progress.onBytes(bytes);
    },
  }).catch((error: unknown) => {
    throw failure ?? error;
  });
}
