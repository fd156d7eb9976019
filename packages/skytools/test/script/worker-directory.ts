import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type ProgramOptions,
  type ProgramResult,
  type RunningProgram,
  runProgram,
  startProgram,
  temporaryDirectory,
  waitFor,
} from "@skytools/testbed";

const program = new URL("../fixtures/worker.js", import.meta.url).pathname;

/** A directory with a configuration for the fixture program, and what the program leaves there. */
export class WorkerDirectory implements AsyncDisposable {
  readonly path: string;
  readonly #directory: AsyncDisposable;

  private constructor(path: string, directory: AsyncDisposable) {
    this.path = path;
    this.#directory = directory;
  }

  /** @param settings lines of the section; greeting, logfile and pidfile are there already */
  static async make(settings = ""): Promise<WorkerDirectory> {
    const directory = await temporaryDirectory("worker");
    const made = new WorkerDirectory(directory.path, directory);
    made.configure(settings);
    return made;
  }

  configure(settings: string): void {
    const files = "logfile = w.log\npidfile = w.pid\n";
    this.write("w.ini", `[worker]\ngreeting = hello\n${files}${settings}`);
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.path, name), text);
  }

  read(name: string): string | undefined {
    const path = join(this.path, name);
    return existsSync(path) ? readFileSync(path, "utf8") : undefined;
  }

  /** Messages of the log file, without time and process. */
  log(): string[] {
    const lines = (this.read("w.log") ?? "").split("\n").filter((line) => line !== "");
    return lines.map((line) => line.replace(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \d+ /, ""));
  }

  async waitForLog(line: string): Promise<void> {
    await waitFor(`log line "${line}"`, () => this.log().includes(line), {
      onTimeout: () => this.log().join("\n"),
    });
  }

  run(...args: string[]): Promise<ProgramResult> {
    return runProgram(program, args, this.#options());
  }

  start(args: readonly string[], env: Readonly<Record<string, string>> = {}): RunningProgram {
    return startProgram(program, [...args], { ...this.#options(), env });
  }

  /** Ends what is left in the background. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of ["w.pid", "w.pid.admin", "w.pid.copy.t"]) killProcess(Number(this.read(name) ?? 0));
    await this.#directory[Symbol.asyncDispose]();
  }

  #options(): ProgramOptions {
    return { cwd: this.path };
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function killProcess(pid: number): void {
  if (pid > 1 && pid !== process.pid && isAlive(pid)) process.kill(pid, "SIGKILL");
}
