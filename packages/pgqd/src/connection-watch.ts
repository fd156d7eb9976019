import type { Database } from "@skytools/skytools";
import { type DaemonContext, openDatabase } from "./daemon-context.ts";
import { logName } from "./log-name.ts";
import { type BackendActivity, backendActivity } from "./pgq-calls.ts";
import { describe, isNetworkTrouble } from "./trouble.ts";

/** how long the second connection may take to answer */
const answerWithinMs = 10_000;

/** Does `work` on a connection. A statement may take as long as it wants, but a connection that has lost its server without
 * notice, as behind a firewall that has forgotten it, would be waited for without end: after each `stall_period` a second
 * connection asks whether the server still works for the first, and if not, closes it, so that `work` fails.
 * @param what the part that works, as log lines name it */
export async function watchConnection<T>(
  context: DaemonContext,
  databaseName: string,
  what: string,
  db: Database,
  work: () => Promise<T>,
): Promise<T> {
  const watch = new ConnectionWatch(context, databaseName, what, db);
  const timer = setInterval(() => void watch.look(), context.settings.stallPeriodMs);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    watch.isOver = true;
  }
}

class ConnectionWatch {
  isOver = false;
  readonly #context: DaemonContext;
  readonly #databaseName: string;
  readonly #db: Database;
  readonly #name: string;
  #isLooking = false;
  #isSlowLogged = false;
  #isReasonLogged = false;

  constructor(context: DaemonContext, databaseName: string, what: string, db: Database) {
    this.#context = context;
    this.#databaseName = databaseName;
    this.#db = db;
    this.#name = `${logName(databaseName)}: ${what}`;
  }

  async look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const fault = await this.#fault();
    this.#isLooking = false;
    if (fault === undefined || this.isOver) return;
    this.#context.log.warning(`${this.#name}: ${fault}, closing the connection`);
    await this.#db
      .close()
      .catch((error: unknown) => this.#context.log.debug(`${this.#name}: ${describe(error)}`));
  }

  /** @returns why the connection is to be given up */
  async #fault(): Promise<string | undefined> {
    try {
      const activity = await this.#ask();
      if (activity === "unknown") return undefined;
      if (activity === "gone") return "the server knows nothing of the connection any more";
      if (activity.idleMs !== undefined) {
        return activity.idleMs > this.#context.settings.stallPeriodMs / 2
          ? "the server's answer did not arrive"
          : undefined;
      }
      this.#logSlow(activity.waitsFor);
      return undefined;
    } catch (error) {
      return isNetworkTrouble(error) ? `no answer, and ${describe(error)}` : undefined;
    }
  }

  async #ask(): Promise<BackendActivity> {
    const second = await openDatabase(this.#context, this.#databaseName);
    const impatience = setTimeout(() => void second.close().catch(() => undefined), answerWithinMs);
    try {
      return await backendActivity(second, this.#db.backendPid);
    } finally {
      clearTimeout(impatience);
      await second.close().catch(() => undefined);
    }
  }

  /** Once, and once more if it turns out later what the statement waits for. */
  #logSlow(waitsFor: string | undefined): void {
    const isNews = !this.#isSlowLogged || (waitsFor !== undefined && !this.#isReasonLogged);
    if (!isNews) return;
    this.#isSlowLogged = true;
    this.#isReasonLogged = waitsFor !== undefined;
    const reason = waitsFor === undefined ? "" : `, it waits for ${waitsFor}`;
    this.#context.log.warning(`${this.#name}: a statement takes long${reason}`);
  }
}
