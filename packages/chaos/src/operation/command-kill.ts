import type { RandomSource } from "@skytools/testbed";

/** Whether and when the first attempt of a command is killed; milliseconds. */
export function drawCommandKill(random: RandomSource): number | undefined {
  const isKilled = random.chance(0.3);
  const afterMs = random.int(300, 2500);
  return isKilled ? afterMs : undefined;
}

export function killText(afterMs: number | undefined): string {
  return afterMs === undefined ? "" : `, command killed after ${afterMs} ms`;
}
