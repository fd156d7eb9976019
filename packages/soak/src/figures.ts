/** What is measured of a process, a server or a directory, and how much more of it at the end is no leak yet. */
export interface Figure {
  readonly title: string;
  /** allowed growth as a share of what was there: 0.1 is a tenth */
  readonly share: number;
  /** allowed growth beside that, in the figure's unit */
  readonly amount: number;
}

const nothingMore = { share: 0, amount: 0 };

export const figures = {
  memory: { title: "resident memory, MB", share: 0.1, amount: 6 },
  heap: { title: "heap and buffers after garbage collection, MB", share: 0.05, amount: 1 },
  files: { title: "open files", ...nothingMore },
  sockets: { title: "open sockets", ...nothingMore },
  handles: { title: "timers, sockets and other things waited for", ...nothingMore },
  children: { title: "child processes", ...nothingMore },
  warnings: { title: "warnings of the runtime", ...nothingMore },
  connections: { title: "connections", ...nothingMore },
  locks: { title: "advisory locks", ...nothingMore },
  temporary: { title: "temporary tables", ...nothingMore },
  relations: { title: "tables, indexes and sequences", ...nothingMore },
  backend: { title: "own memory of the average server process, MB", share: 0.1, amount: 2 },
  names: { title: "files", ...nothingMore },
  stored: { title: "files of the server", share: 0.02, amount: 10 },
} as const satisfies Readonly<Record<string, Figure>>;

export type FigureName = keyof typeof figures;

/** Values of one moment. */
export type Sample = Readonly<Partial<Record<FigureName, number>>>;
