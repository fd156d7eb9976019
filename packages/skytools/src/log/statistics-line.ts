import { Statistics } from "../script/statistics.ts";

type Figure = readonly [key: string, value: string];

/** The figures of a statistics line `{key: value, key: value}`, or undefined when the text is none.
 * Source: spec/framework.md 3.7 */
export function parseStatisticsLine(text: string): Figure[] | undefined {
  const body = /^\{(.*)\}$/.exec(text)?.[1];
  if (body === undefined) return undefined;
  const figures = body.split(", ").map((item): Figure | undefined => {
    const colon = item.indexOf(": ");
    return colon < 1 ? undefined : [item.slice(0, colon), item.slice(colon + 2)];
  });
  return figures.every((figure) => figure !== undefined) ? figures : undefined;
}

/** Adds up the figures of statistics lines. A sum is a fraction when one of its figures was; of texts the last one stays. */
export class StatisticsSum {
  #sum = new Statistics();

  add(figures: readonly Figure[]): void {
    for (const [key, value] of figures) {
      const number = /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : undefined;
      if (number === undefined || typeof this.#sum.get(key) === "string") this.#sum.put(key, value);
      else if (value.includes(".")) this.#sum.increaseFloat(key, number);
      else this.#sum.increase(key, number);
    }
  }

  /** The line of the sums, undefined when there are none; forgets them. */
  takeLine(): string | undefined {
    return this.#sum.take()?.line;
  }
}
