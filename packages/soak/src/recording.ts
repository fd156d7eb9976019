import type { FigureName, Sample } from "./figures.ts";

/** One figure of one owner, a value for each moment. */
export interface Series {
  /** a daemon, a server or a directory */
  readonly owner: string;
  readonly figure: FigureName;
  readonly values: readonly number[];
}

/** All samples of a run. */
export class Recording {
  readonly #series = new Map<string, { owner: string; figure: FigureName; values: number[] }>();

  add(owner: string, sample: Sample): void {
    for (const [figure, value] of Object.entries(sample) as [FigureName, number][]) {
      const key = `${owner} ${figure}`;
      const series = this.#series.get(key) ?? { owner, figure, values: [] };
      this.#series.set(key, series);
      series.values.push(value);
    }
  }

  get series(): readonly Series[] {
    return [...this.#series.values()];
  }

  /** A line of JSON for each series. */
  lines(): string {
    return this.series.map((series) => `${JSON.stringify(series)}\n`).join("");
  }
}
