/** One way of doing the scenario's work. */
export interface Contestant {
  /** as printed, for example "C logutriga" */
  readonly name: string;
  /** Does the work once, after whatever preparation it needs.
   * @returns how many units of work were done and the seconds they took (preparation not counted) */
  run(): Promise<Sample>;
}

/** One run of one contestant. */
export interface Sample {
  readonly units: number;
  readonly seconds: number;
  /** largest resident memory of the process that did it, where that is ours to see */
  readonly memoryMb?: number;
}

/** A group of contestants measured in turn (A B C, A B C, ...) on the same servers, so that a drifting machine
 * drifts for all. Rates are compared with the contestant named by `baseline`. */
export interface Contest {
  readonly title: string;
  /** what is counted: "rows", "events", "MB" */
  readonly unit: string;
  readonly baseline: string;
  readonly contestants: readonly Contestant[];
  readonly repeats?: number;
}

/** Figures that are no rates, measured side by side in one run: latencies, processor time, memory. */
export interface FigureTable {
  readonly title: string;
  readonly columns: readonly FigureColumn[];
  readonly rows: readonly FigureRow[];
  /** What the figures have to fulfil. */
  readonly bars?: readonly Bar[];
}

/** A limit that figures keep or do not. */
export interface Bar {
  /** the limit and what was measured, for example "no dead rows: 0" */
  readonly text: string;
  readonly isMet: boolean;
}

export interface FigureColumn {
  readonly key: string;
  readonly title: string;
  readonly unit: string;
  readonly digits: number;
}

export interface FigureRow {
  readonly name: string;
  /** by the columns' keys */
  readonly figures: Readonly<Record<string, number>>;
}

/** A named benchmark: `npm run bench -- NAME`. */
export interface Scenario {
  readonly name: string;
  readonly summary: string;
  /** Starts what it needs, yields its contests, or figures that it has measured itself, one after the other, and stops what
   * it started when the iteration ends. */
  contests(options: BenchOptions): AsyncIterable<Contest | FigureTable>;
}

/** What the command line says. */
export interface BenchOptions {
  /** 1 is the size that the documented figures were taken with; 0.01 only shows that a bench still runs */
  readonly scale: number;
  readonly repeats: number;
}
