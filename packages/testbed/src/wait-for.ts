import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";

export interface WaitOptions {
  /** Default 180000: for a machine that does much else at the same time, and starts many programs. */
  readonly timeoutMs?: number;
  /** Default 25. */
  readonly intervalMs?: number;
  /** What the condition throws is thrown at once; without this it counts as not met yet. */
  readonly isErrorFinal?: boolean;
  /** Text for the message of the failure: what the reader needs to see. */
  readonly onTimeout?: () => string;
}

type Unmet = undefined | false | null;

/** Polls until the condition gives a value that is not undefined, null or false, and returns that value.
 * A condition that throws counts as not met yet, unless told otherwise: servers may be restarting meanwhile.
 * @param what completes the sentence "timed out waiting for ..."
 * @throws Error after the deadline, with what the condition gave or threw last */
export async function waitFor<T>(
  what: string,
  condition: () => Promise<T | Unmet> | T | Unmet,
  options: WaitOptions = {},
): Promise<T> {
  const timeoutMs = options.timeoutMs ?? 180_000;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    let lastValue: unknown;
    let lastError: unknown;
    try {
      const value = await condition();
      if (value !== undefined && value !== null && value !== false) return value;
      lastValue = value;
    } catch (error) {
      if (options.isErrorFinal === true) throw error;
      lastError = error;
    }
    if (performance.now() >= deadline) {
      const seen = lastError instanceof Error ? lastError.message : inspect(lastError ?? lastValue);
      const more = options.onTimeout === undefined ? "" : `\n${options.onTimeout()}`;
      throw new Error(
        `timed out after ${timeoutMs / 1000} s waiting for ${what}; last seen: ${seen}${more}`,
        {
          cause: lastError,
        },
      );
    }
    await sleep(options.intervalMs ?? 25);
  }
}
