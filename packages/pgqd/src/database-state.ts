import { logName } from "./log-name.ts";
import type { DatabaseFigures } from "./monitor/figures.ts";

/** What a ticker has last found in a database. */
export type Presence = "unknown" | "present" | "absent" | "too old" | "standby";

/** What is known about one database: its ticker and jobs write it; health, metrics and the status page read it. Moments are
 * milliseconds of performance.now(), which a clock that is set does not disturb. */
export class DatabaseState {
  readonly name: string;
  /** the name as log lines begin */
  readonly logName: string;
  /** figures of the last collection, and when that was */
  figures: DatabaseFigures | undefined;
  /** why its ticker cannot work; undefined while it can */
  trouble: string | undefined;
  /** the connection was refused for want of a right */
  isClosedToUs = false;
  maintenanceRounds = 0;
  retriedEvents = 0n;
  #presence: Presence = "unknown";
  #version: string | undefined;
  #ticks = 0;
  #tickMs = 0;
  #lastTickAtMs: number | undefined;
  #sinceMs: number;
  readonly #now: () => number;
  readonly #waiting: (() => void)[] = [];

  /** @param now a clock that nobody sets, milliseconds */
  constructor(name: string, now: () => number = () => performance.now()) {
    this.name = name;
    this.logName = logName(name);
    this.#now = now;
    this.#sinceMs = now();
  }

  get presence(): Presence {
    return this.#presence;
  }

  /** of PgQ, undefined when it is not there or does not say */
  get version(): string | undefined {
    return this.#version;
  }

  /** calls of pgq.ticker() that returned */
  get ticks(): number {
    return this.#ticks;
  }

  /** what those calls took together */
  get tickMs(): number {
    return this.#tickMs;
  }

  /** when it was first heard of, or what was found in it has changed */
  get sinceMs(): number {
    return this.#sinceMs;
  }

  get lastTickAtMs(): number | undefined {
    return this.#lastTickAtMs;
  }

  /** One of its connections has done its work: whoever could not reach the server need not wait any longer. */
  reached(): void {
    for (const hears of this.#waiting) hears();
  }

  /** @param hears called at each success of any connection: cheap */
  whenReached(hears: () => void): void {
    this.#waiting.push(hears);
  }

  found(presence: Presence, version?: string): void {
    if (presence !== this.#presence) this.#sinceMs = this.#now();
    this.#presence = presence;
    this.#version = version;
    this.trouble = undefined;
    this.isClosedToUs = false;
    if (presence === "present") return;
    this.#lastTickAtMs = undefined;
    this.figures = undefined;
  }

  ticked(tookMs: number): void {
    this.#ticks += 1;
    this.#tickMs += tookMs;
    this.#lastTickAtMs = this.#now();
    this.trouble = undefined;
  }
}
