import type { CopyRate } from "./copy-baseline.ts";

export interface ReplayRate {
  readonly rows: number;
  readonly seconds: number;
}

/** The figures at the end of the demo, as lines. */
export function figureLines(figures: {
  readonly copy: CopyRate;
  readonly plainCopy: CopyRate;
  readonly replay: ReplayRate;
  readonly memory: ReadonlyMap<string, number>;
}): string[] {
  const { copy, plainCopy, replay, memory } = figures;
  const ratio = copy.rows / copy.seconds / (plainCopy.rows / plainCopy.seconds);
  return [
    `initial copy of accounts:  ${perSecond(copy.rows, copy.seconds)}, ${ratio.toFixed(2)} of plain COPY`,
    `plain COPY in this run:    ${perSecond(plainCopy.rows, plainCopy.seconds)}`,
    `replay of the backlog:     ${perSecond(replay.rows, replay.seconds)}`,
    ...[...memory].map(
      ([name, bytes]) => `peak memory of ${`${name}:`.padEnd(19)}${(bytes / 2 ** 20).toFixed(0)} MB`,
    ),
  ];
}

function perSecond(rows: number, seconds: number): string {
  const rate = Math.round(rows / seconds).toLocaleString("en");
  return `${rows.toLocaleString("en")} rows in ${seconds.toFixed(1)} s = ${rate} rows/s`;
}
