/** What the workers tell of their replay. */
export interface Replayed {
  /** Events that were applied in sets. */
  readonly setWise: number;
  /** Events that were applied by a statement each. */
  readonly rowByRow: number;
  /** Sessions that workers and copiers gave up because their server had become silent. */
  readonly givenUp: number;
}

/** Batches have this many events for the nodes themselves at most. No set is smaller. */
const fewEvents = 30;

const statistics = /^\S+ \S+ (\d+) INFO \{(.+)\}$/;
const silence = / connection lost: the server has not answered for /;

/** @param logs of the workers and their copiers
 * @param workers process ids; copiers are not counted: most of what they apply comes at once */
export function replayedInLogs(logs: readonly string[], workers: ReadonlySet<number>): Replayed {
  let [setWise, rowByRow, givenUp] = [0, 0, 0];
  for (const line of logs.flatMap((log) => log.split("\n"))) {
    if (silence.test(line)) givenUp += 1;
    const [, pid, text] = statistics.exec(line) ?? [];
    if (text === undefined || !workers.has(Number(pid))) continue;
    const counts = new Map(text.split(", ").map((each) => each.split(": ") as [string, string]));
    const count = (key: string) => Number(counts.get(key) ?? 0);
    const rest = count("count") - count("row_by_row") - count("ignored_events");
    rowByRow += count("row_by_row");
    if (rest > fewEvents) setWise += rest;
  }
  return { setWise, rowByRow, givenUp };
}
