import type { RandomSource } from "@skytools/testbed";

/** One of them, or now and then several at once, up to all. */
export function drawSome<T>(random: RandomSource, all: readonly T[]): readonly T[] {
  const count = random.chance(0.3) ? random.int(2, all.length) : 1;
  const left = [...all];
  return Array.from({ length: count }, () => left.splice(random.int(0, left.length - 1), 1)[0]!);
}
