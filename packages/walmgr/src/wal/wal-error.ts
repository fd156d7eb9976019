import { SkytoolsError, type SkytoolsErrorOptions } from "@skytools/skytools";

/** Exit codes of the commands that the server calls.
 * Source: spec/walmgr.md 12.2 */
export const hookExit = {
  done: 0,
  /** the archive was read and does not have the file */
  absent: 1,
  /** storage or the way to it is in trouble; the server tries again */
  trouble: 2,
  internal: 3,
  /** the file is not of this cluster, not whole, or not what its name says */
  foreign: 44,
  /** the archive holds other content under this name */
  differs: 45,
  /** more than 125: the server stops its recovery instead of ending it early */
  stopRecovery: 200,
} as const;

/** A file, an archive or a backup is not as it must be. Ends a command with the exit code of the situation. */
export class WalError extends SkytoolsError {
  constructor(message: string, options: SkytoolsErrorOptions = {}) {
    super("WAL", message, options);
  }
}

/** The file is not of this cluster, not whole, or not what its name says. */
export function foreignFile(message: string, hint?: string): WalError {
  return new WalError(message, { exitCode: hookExit.foreign, hint });
}

/** Storage, or the way to it, is in trouble. */
export function storageTrouble(message: string, cause?: unknown, hint?: string): WalError {
  return new WalError(message, { exitCode: hookExit.trouble, retry: "later", cause, hint });
}

/** The code of a system error, e.g. `ENOSPC`. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
