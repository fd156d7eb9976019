import { performance } from "node:perf_hooks";
import type { Contest, Sample } from "./scenario.ts";

/** Rates of one contestant over the counted runs, units a second. */
export interface Rates {
  readonly name: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** median of the run-by-run ratios to the baseline */
  readonly ratio: number;
  /** largest memory over all runs, MB */
  readonly memoryMb?: number;
}

/** Runs every contestant once to warm up, then `repeats` times in turn. */
export async function measure(contest: Contest, repeats: number): Promise<Rates[]> {
  const rounds: number[][] = [];
  const memoryMb = contest.contestants.map(() => 0);
  for (let round = 0; round <= repeats; round++) {
    const rates: number[] = [];
    for (const [index, contestant] of contest.contestants.entries()) {
      const sample = await contestant.run();
      memoryMb[index] = Math.max(memoryMb[index]!, sample.memoryMb ?? 0);
      rates.push(sample.units / sample.seconds);
    }
    if (round > 0 || repeats === 0) rounds.push(rates);
  }
  const baselineIndex = contest.contestants.findIndex((contestant) => contestant.name === contest.baseline);
  return contest.contestants.map((contestant, index) => {
    const rates = rounds.map((round) => round[index]!);
    return {
      name: contestant.name,
      median: median(rates),
      min: Math.min(...rates),
      max: Math.max(...rates),
      ratio:
        baselineIndex < 0 ? Number.NaN : median(rounds.map((round) => round[index]! / round[baselineIndex]!)),
      ...(memoryMb[index]! > 0 ? { memoryMb: memoryMb[index]! } : {}),
    };
  });
}

/** Times one piece of work. */
export async function timed(units: number, work: () => Promise<void>): Promise<Sample> {
  const start = performance.now();
  await work();
  return { units, seconds: (performance.now() - start) / 1000 };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
