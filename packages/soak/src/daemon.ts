import { renameSync } from "node:fs";
import { type RunningProgram, startProgram } from "@skytools/testbed";
import type { Sample } from "./figures.ts";
import type { IniFile } from "./ini-file.ts";
import { processFigures } from "./process-figures.ts";

export interface DaemonPlan {
  readonly name: string;
  /** a command of this workspace, or a JavaScript file */
  readonly command: string;
  /** after the name of the configuration file */
  readonly args?: readonly string[];
  readonly ini: IniFile;
  readonly logFile: string;
  /** a setting that a reload changes, and two values of it */
  readonly changing: readonly [key: string, value: string, otherValue: string];
  /** A number that becomes larger while the daemon does its work, for example the tick where it is. */
  progress(): Promise<number>;
}

/** A daemon with the probe inside. */
export class Daemon implements AsyncDisposable {
  readonly plan: DaemonPlan;
  readonly program: RunningProgram;
  readonly #probes: string;
  #reloads = 0;

  constructor(plan: DaemonPlan, env: Readonly<Record<string, string>>, probes: string) {
    this.plan = plan;
    this.#probes = probes;
    this.program = startProgram(plan.command, [plan.ini.path, ...(plan.args ?? [])], { env });
  }

  /** @throws Error when it has ended */
  figures(): Sample {
    if (!this.program.isRunning)
      throw new Error(`${this.plan.name} has ended by itself${this.program.outputTail()}`);
    return processFigures(this.program.pid, this.#probes);
  }

  /** Changes the configuration, and has it read. */
  reload(): void {
    const [key, value, otherValue] = this.plan.changing;
    this.#reloads += 1;
    this.plan.ini.write({ [key]: this.#reloads % 2 === 0 ? value : otherValue });
    this.program.signal("SIGHUP");
  }

  /** As logrotate does. */
  rotateLog(): void {
    try {
      renameSync(this.plan.logFile, `${this.plan.logFile}.1`);
    } catch {
      // It has just put its log aside by itself.
    }
    this.program.signal("SIGHUP");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.program[Symbol.asyncDispose]();
  }
}
