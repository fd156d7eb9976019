import { RandomSource } from "@skytools/testbed";
import type { CascadeModel } from "./cascade-model.ts";
import type { Action, Disturbance } from "./disturbance.ts";
import { type Track, tracks } from "./tracks.ts";

/** One disturbance of a track, and the time to wait after it. */
export interface ScheduledStep extends Action {
  readonly track: Track["name"];
  readonly name: string;
  readonly pauseMs: number;
}

/** The disturbances of one track, endless. The same seed and model give the same ones.
 * @param without disturbances that this machine cannot have: their turns are left out, all others stay what they are */
export function* schedule(
  seed: number,
  track: Track,
  model: CascadeModel,
  without: readonly Disturbance[] = [],
): Generator<ScheduledStep, never> {
  const random = new RandomSource(seed * 7 + tracks.indexOf(track));
  for (;;) {
    const disturbance = pickWeighted(random, track.disturbances);
    const action = disturbance.draw(random, model);
    const pauseMs = random.int(0, track.longestPauseMs);
    if (without.includes(disturbance)) continue;
    yield { track: track.name, name: disturbance.name, pauseMs, ...action };
  }
}

function pickWeighted(random: RandomSource, disturbances: readonly Disturbance[]): Disturbance {
  const sum = disturbances.reduce((total, { weight }) => total + weight, 0);
  let left = random.int(1, sum);
  for (const disturbance of disturbances) {
    left -= disturbance.weight;
    if (left <= 0) return disturbance;
  }
  throw new RangeError("no disturbances");
}
