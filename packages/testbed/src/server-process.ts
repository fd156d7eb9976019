import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { killWorkingIn } from "./process-mark.ts";
import { serverAccount, spawnIdentity } from "./server-account.ts";
import { SharedMemory } from "./shared-memory.ts";
import { waitFor } from "./wait-for.ts";

/** PostgreSQL's shutdown modes. Source: manual, "Shutting Down the Server". */
export type StopMode = "smart" | "fast" | "immediate";

const stopSignals = { smart: "SIGTERM", fast: "SIGINT", immediate: "SIGQUIT" } as const;

/** One life of a postmaster. It is a direct child, not started through pg_ctl: its end is seen at once, its number is
 * known before it can fail, and nothing holds our pipes. */
export class ServerProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #logFile: string;
  readonly #dataDirectory: string;

  constructor(binDir: string, dataDirectory: string, logFile: string) {
    this.#logFile = logFile;
    this.#dataDirectory = dataDirectory;
    const log = openSync(logFile, "a");
    this.#child = spawn(join(binDir, "postgres"), ["-D", dataDirectory], {
      cwd: "/",
      stdio: ["ignore", log, log],
      // Ctrl-C in a terminal must reach the test process only.
      detached: true,
      ...spawnIdentity(serverAccount()),
    });
    closeSync(log);
    this.#exited = new Promise((resolve) => {
      this.#child.once("exit", () => resolve());
      this.#child.once("error", () => resolve());
    });
    this.#child.unref();
  }

  get pid(): number {
    return Number(this.#child.pid);
  }

  /** of the running server */
  get sharedMemory(): SharedMemory {
    return SharedMemory.of(this.pid, this.#dataDirectory);
  }

  get isRunning(): boolean {
    return this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Resolves true when connections are accepted, false when the postmaster ended first.
   * Source: postmaster.pid, line 8 (LOCK_FILE_LINE_PM_STATUS). */
  async becomesReady(timeoutMs: number): Promise<boolean> {
    const state = await waitFor(
      `the server of ${this.#dataDirectory} to accept connections`,
      () => (!this.isRunning ? "ended" : this.#status() === "ready" && "ready"),
      { timeoutMs, intervalMs: 10, onTimeout: () => logTail(this.#logFile) },
    );
    return state === "ready";
  }

  #status(): string | undefined {
    try {
      const lines = readFileSync(join(this.#dataDirectory, "postmaster.pid"), "utf8").split("\n");
      return Number(lines[0]) === this.#child.pid ? lines[7]?.trim() : undefined;
    } catch {
      return undefined;
    }
  }

  /** Sends the signal and waits for the end of the postmaster; nothing happens when it has ended already. */
  async end(how: StopMode | "kill"): Promise<void> {
    if (!this.isRunning) return;
    this.#child.ref();
    this.#child.kill(how === "kill" ? "SIGKILL" : stopSignals[how]);
    await this.#exited;
  }

  /** For the exit of this process, where nothing can be awaited. Its children too: until they notice, they would write into what
   * is about to be removed. */
  killNow(): void {
    const memory = this.isRunning ? this.sharedMemory : undefined;
    if (this.isRunning) this.#child.kill("SIGKILL");
    killWorkingIn(this.#dataDirectory);
    memory?.remove();
  }
}

/** The last lines of a server's log, for messages. */
export function logTail(logFile: string): string {
  const lines = readFileSync(logFile, "utf8").trimEnd().split("\n");
  return `${logFile}:\n${lines.slice(-20).join("\n")}`;
}
