import { type RunningProgram, startProgram, waitFor } from "@skytools/testbed";
import { type NodeKey, nodeKeys, type ServerKey, serverKeys } from "./cascade-model.ts";

/** `worker n1` .., `pgqd a` .. */
export type DaemonName = `worker ${NodeKey}` | `pgqd ${ServerKey}`;

export const daemonNames: readonly DaemonName[] = [
  ...serverKeys.map((key) => `pgqd ${key}` as const),
  ...nodeKeys.map((key) => `worker ${key}` as const),
];

/** Workers and tickers, as processes. */
export class Daemons implements AsyncDisposable {
  readonly #directory: string;
  readonly #running = new Map<DaemonName, RunningProgram>();
  /** Process ids of all workers that were ever started. */
  readonly workerPids = new Set<number>();

  /** @param directory where their configuration is */
  constructor(directory: string) {
    this.#directory = directory;
  }

  start(name: DaemonName): void {
    const [kind, key] = name.split(" ") as ["worker" | "pgqd", string];
    const options = { cwd: this.#directory };
    const program =
      kind === "worker"
        ? startProgram("londiste3", [`${key}.ini`, "worker"], options)
        : startProgram("pgqd", [`pgqd-${key}.ini`], options);
    this.#running.set(name, program);
    if (kind === "worker") this.workerPids.add(program.pid);
  }

  /** Process ids of the workers that run. */
  get runningWorkers(): number[] {
    return [...this.#running].flatMap(([name, { pid, isRunning }]) =>
      name.startsWith("worker") && isRunning ? pid : [],
    );
  }

  /** SIGKILL for the process alone: those that it has started go on. */
  async kill(name: DaemonName): Promise<void> {
    const program = this.#running.get(name);
    if (program === undefined) return;
    program.signal("SIGKILL");
    await waitFor(`${name} to end`, () => !program.isRunning);
    this.#running.delete(name);
  }

  signal(name: DaemonName, signal: "SIGSTOP" | "SIGCONT"): void {
    this.#running.get(name)?.signal(signal);
  }

  /** Those that nobody has killed, and that have ended all the same. */
  ended(): string[] {
    return [...this.#running].flatMap(([name, program]) =>
      program.isRunning ? [] : `${name} has ended by itself${program.outputTail()}`,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const program of this.#running.values()) await program[Symbol.asyncDispose]();
  }
}
