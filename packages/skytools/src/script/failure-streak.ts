import type { Config } from "../config/config.ts";
import { errorNames } from "./error-names.ts";

/** Failures of a work loop that belong together: the streak begins with the first failure and outlives successes until
 * `exception_reset` seconds have passed since.
 * Source: spec/framework.md 3.6 */
export class FailureStreak {
  readonly #config: Config;
  #firstMs: number | undefined;
  #inARow = 0;

  constructor(config: Config) {
    this.#config = config;
  }

  /** Failures since the last success. */
  get inARow(): number {
    return this.#inARow;
  }

  fail(nowMs: number): void {
    this.#firstMs ??= nowMs;
    this.#inARow++;
  }

  succeed(nowMs: number): void {
    this.#inARow = 0;
    if (this.#firstMs === undefined) return;
    if (nowMs - this.#firstMs > this.#config.getFloat("exception_reset") * 1000) this.#firstMs = undefined;
  }

  /** Whether an error is one to be logged quietly for now. */
  isQuiet(error: unknown, nowMs: number): boolean {
    const quiet = this.#config.getList("exception_quiet");
    const isListed = quiet.includes("ALL") || errorNames(error).some((name) => quiet.includes(name));
    const graceMs = this.#config.getFloat("exception_grace") * 1000;
    return isListed && nowMs - (this.#firstMs ?? nowMs) <= graceMs;
  }

  /** How long to sleep after the last failure. */
  sleepMs(): number {
    const seconds = this.#config.getFloat("exception_sleep");
    const longest = this.#config.getFloat("exception_sleep_max");
    if (longest <= seconds) return seconds * 1000;
    return Math.min(longest, seconds * 2 ** (this.#inARow - 1)) * 1000;
  }
}
