import { DatabaseError } from "@skytools/skytools";
import type { DaemonLog } from "./daemon-log.ts";

/** Waits after failures: a lost connection is tried again soon and then less and less often, an SQL error after a fixed
 * pause. Values in milliseconds. Source: spec/pgq-library.md B10 */
export interface FailurePauses {
  readonly sqlMs: number;
  readonly longestConnectMs: number;
}

const firstConnectMs = 1000;

/** The troubles of one connection: logs a failure once, and once that it is over, and says how long to wait. */
export class Trouble {
  readonly #log: DaemonLog;
  readonly #name: string;
  readonly #pauses: FailurePauses;
  #lastMessage: string | undefined;
  #connectMs = firstConnectMs;
  #isConnectionLost = false;

  /** @param name what failed, as log lines begin: "[db]: ticker" */
  constructor(log: DaemonLog, name: string, pauses: FailurePauses) {
    this.#log = log;
    this.#name = name;
    this.#pauses = pauses;
  }

  /** @returns milliseconds to wait before the next try */
  failed(error: unknown): number {
    const message = `${this.#name}: ${describe(error)}`;
    if (message === this.#lastMessage) this.#log.debug(message);
    else this.#log.error(message);
    this.#lastMessage = message;
    const isOfConnection = isConnectionTrouble(error);
    this.#isConnectionLost = isOfConnection && !isServerFull(error);
    if (!isOfConnection) return this.#pauses.sqlMs;
    const pauseMs = Math.min(this.#connectMs, this.#pauses.longestConnectMs);
    this.#connectMs = pauseMs * 2;
    return pauseMs;
  }

  /** Call when the connection has done its work. */
  over(): void {
    if (this.#lastMessage !== undefined) this.#log.info(`${this.#name}: works again`);
    this.#lastMessage = undefined;
    this.#connectMs = firstConnectMs;
    this.#isConnectionLost = false;
  }

  /** The last try could not reach the server: once another connection can, there is no reason to wait any longer. */
  get isConnectionLost(): boolean {
    return this.#isConnectionLost;
  }
}

function isConnectionTrouble(error: unknown): boolean {
  return isNetworkTrouble(error) || (error instanceof DatabaseError && error.retry === "reconnect");
}

/** That others have a connection is no sign that there is one more. */
function isServerFull(error: unknown): boolean {
  return error instanceof DatabaseError && error.sqlState === "53300";
}

/** No server has said anything. */
export function isNetworkTrouble(error: unknown): boolean {
  return !(error instanceof DatabaseError) || error.sqlState === undefined;
}

/** The server has refused the connection: no right to connect, no line in pg_hba.conf, a wrong password. */
export function isRefused(error: unknown): boolean {
  return error instanceof DatabaseError && /^(42501|28...)$/.test(error.sqlState ?? "");
}

/** The database is not there any more. */
export function isDatabaseMissing(error: unknown): boolean {
  return error instanceof DatabaseError && error.sqlState === "3D000";
}

/** A schema, table or function was not found: perhaps PgQ is gone, and looking for it will tell. */
export function isSomethingMissing(error: unknown): boolean {
  return error instanceof DatabaseError && ["3F000", "42P01", "42883"].includes(error.sqlState ?? "");
}

export function describe(error: unknown): string {
  if (
    error instanceof DatabaseError &&
    error.sqlState !== undefined &&
    !error.message.includes(error.sqlState)
  ) {
    return `${error.message} (${error.sqlState})`;
  }
  return error instanceof Error ? error.message : String(error);
}
