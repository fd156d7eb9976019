import { figures } from "./figures.ts";
import type { Series } from "./recording.ts";

/** The part of a run that is not looked at: programs and servers fill their caches. */
const warmUpShare = 0.25;
/** A third with fewer samples says nothing. */
const leastSamples = 20;
const quantiles = [0.1, 0.25, 0.5, 0.75, 0.9];

export interface Verdict {
  readonly owner: string;
  readonly figure: Series["figure"];
  /** median of the first third after the warm-up */
  readonly early: number;
  /** median of the last third */
  readonly late: number;
  readonly outcome: "flat" | "grows" | "too short";
}

/** Compares the last third with the first one after the warm-up: a figure grows when its tenth, quarter,
 * median, three quarters and nine tenths are all higher than its allowance lets them be. A leak lifts everything; an outlier, a
 * burst, or a value that is there half of the time, and therefore the median of one third only, leaves one of them where it was. */
export function judge({ owner, figure, values }: Series): Verdict {
  const warm = values.slice(Math.floor(values.length * warmUpShare));
  const third = Math.floor(warm.length / 3);
  if (third < leastSamples) {
    return { owner, figure, early: median(values), late: median(values), outcome: "too short" };
  }
  const [early, late] = [warm.slice(0, third), warm.slice(-third)];
  const { share, amount } = figures[figure];
  const grows = quantiles.every(
    (part) => quantile(late, part) > quantile(early, part) * (1 + share) + amount,
  );
  return { owner, figure, early: median(early), late: median(late), outcome: grows ? "grows" : "flat" };
}

const median = (values: readonly number[]): number => quantile(values, 0.5);

/** A value that is there, never one between two: half a file means nothing. */
function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) * part)] ?? Number.NaN;
}
