import { spawn } from "node:child_process";
import { environmentWithoutPassword } from "./secrets-of-process.ts";

/** Tells systemd how a daemon is: started, reading its configuration again, stopping, alive. Does nothing when systemd did not
 * start the process or does not listen.
 *
 * Messages go through the program `systemd-notify`: Node has no Unix datagram sockets, and that program comes with systemd
 * itself. It speaks with a process id of its own, so the unit needs `NotifyAccess=all`. One message is under way at a
 * time; what only says "alive" or describes joins the one that waits.
 * Source: sd_notify(3), sd_watchdog_enabled(3), systemd-notify(1) */
export class ServiceNotifier {
  readonly #socket: string | undefined;
  readonly #watchdogMs: number | undefined;
  readonly #waiting: Map<string, string>[] = [];
  #running: Promise<void> | undefined;
  #watchdog: NodeJS.Timeout | undefined;
  #isReady = false;
  #onMissing: (() => void) | undefined;

  private constructor(socket: string | undefined, watchdogMs: number | undefined) {
    this.#socket = socket;
    this.#watchdogMs = watchdogMs;
  }

  /** Takes the variables out of the environment, so that programs started from here do not speak in our name. */
  static detect(env: NodeJS.ProcessEnv): ServiceNotifier {
    const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: period, WATCHDOG_PID: pid } = env;
    delete env.NOTIFY_SOCKET;
    delete env.WATCHDOG_USEC;
    delete env.WATCHDOG_PID;
    const isMeant = pid === undefined || pid === String(process.pid);
    const watchdogMs = isMeant && /^[1-9]\d*$/.test(period ?? "") ? Number(period) / 1000 : undefined;
    return new ServiceNotifier(socket === "" ? undefined : socket, watchdogMs);
  }

  /** Called when systemd listens but `systemd-notify` cannot be started. */
  onMissingProgram(callback: () => void): void {
    this.#onMissing = callback;
  }

  /** The daemon has started, or has read its configuration again. The first call starts the signs of life: from then on one
   * every half of the unit's WatchdogSec, as long as the event loop runs. A round may take as long as its batch. */
  ready(): void {
    if (this.#isReady) return;
    this.#isReady = true;
    this.#put({ READY: "1" });
    if (this.#watchdogMs === undefined || this.#watchdog !== undefined) return;
    this.#watchdog = setInterval(() => this.#put({ WATCHDOG: "1" }), this.#watchdogMs / 2);
    this.#watchdog.unref();
  }

  /** Must be followed by `ready`. */
  reloading(): void {
    this.#isReady = false;
    this.#put({ RELOADING: "1", MONOTONIC_USEC: String(process.hrtime.bigint() / 1000n) });
  }

  stopping(): void {
    this.#put({ STOPPING: "1" });
  }

  /** @param text one line, shown by `systemctl status` */
  status(text: string): void {
    this.#put({ STATUS: text.replace(/\p{Cc}+/gu, " ") });
  }

  /** Ends the signs of life; resolves when everything was said. */
  async close(): Promise<void> {
    clearInterval(this.#watchdog);
    while (this.#running !== undefined) await this.#running;
  }

  #put(fields: Readonly<Record<string, string>>): void {
    if (this.#socket === undefined) return;
    const last = this.#waiting.at(-1);
    const changesState = !("STATUS" in fields || "WATCHDOG" in fields);
    if (last === undefined || changesState) this.#waiting.push(new Map(Object.entries(fields)));
    else for (const [name, value] of Object.entries(fields)) last.set(name, value);
    this.#sendNext();
  }

  #sendNext(): void {
    if (this.#running !== undefined) return;
    const fields = this.#waiting.shift();
    if (fields === undefined || this.#socket === undefined) return;
    this.#running = send(this.#socket, fields).then((isSent) => {
      this.#running = undefined;
      if (!isSent) this.#onMissing?.();
      if (!isSent) this.#waiting.length = 0;
      this.#sendNext();
    });
  }
}

/** @returns false when the program cannot be started */
async function send(socket: string, fields: ReadonlyMap<string, string>): Promise<boolean> {
  const assignments = [...fields].map(([name, value]) => `${name}=${value}`);
  const child = spawn("systemd-notify", ["--", ...assignments], {
    stdio: "ignore",
    env: { ...environmentWithoutPassword(), NOTIFY_SOCKET: socket },
  });
  return await new Promise((resolve) => {
    child.once("error", () => resolve(false));
    child.once("exit", () => resolve(true));
  });
}
