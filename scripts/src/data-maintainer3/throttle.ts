/** How long a pause is when the query says only that there must be one. */
const pauseMs = 30_000;

export interface ThrottleSurroundings {
  /** the value of the query */
  readonly ask: () => Promise<unknown>;
  /** may end early, when the program is to stop */
  readonly sleep: (ms: number) => Promise<void>;
  readonly isStopping: () => boolean;
  readonly warn: (message: string) => void;
}

/** Pauses as long as a query wants it.
 * Source: spec/scripts.md section 9 */
export async function throttle({ ask, sleep, isStopping, warn }: ThrottleSurroundings): Promise<void> {
  while (!isStopping()) {
    const answer = await ask();
    const waitMs = answer === true ? pauseMs : secondsOf(answer) * 1000;
    if (Number.isNaN(waitMs)) {
      warn(`sql_throttle gave ${JSON.stringify(answer)}, which is neither boolean nor number`);
      return;
    }
    if (waitMs <= 0) return;
    await sleep(waitMs);
  }
}

/** Not a number for anything that is none; `numeric` comes as text. */
function secondsOf(answer: unknown): number {
  if (answer === false) return 0;
  if (typeof answer === "bigint" || typeof answer === "number") return Number(answer);
  return typeof answer === "string" && answer.trim() !== "" ? Number(answer) : Number.NaN;
}
