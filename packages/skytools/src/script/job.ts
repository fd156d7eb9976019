import type { Config } from "../config/config.ts";
import type { Databases } from "../db/databases.ts";
import type { Log } from "../log/log.ts";
// oxlint-disable-next-line import/no-cycle -- a program is given its job, and a job knows its program: types only
import type { Program } from "./program.ts";
import type { Statistics } from "./statistics.ts";

/** A running program, as its code sees it. */
export interface Job {
  /** `job_name`: the name in the log and the default consumer name */
  readonly name: string;
  readonly program: Program;
  /** stays the same object when SIGHUP brings new values */
  readonly config: Config;
  readonly log: Log;
  readonly databases: Databases;
  readonly statistics: Statistics;
  /** name of the command that runs; undefined for a program without commands */
  readonly command: string | undefined;
  /** operands after configuration file and command */
  readonly args: readonly string[];
  /** values of the switches under their camel-case names; absent when not given and without default */
  readonly switches: Readonly<Record<string, unknown>>;
  readonly env: NodeJS.ProcessEnv;
  /** for results; the log goes elsewhere */
  readonly stdout: NodeJS.WritableStream;
  /** -v was given */
  readonly isVerbose: boolean;
  /** --json was given: print results as JSON */
  readonly json: boolean;
  /** --dry-run was given; see `dryRunSwitch` */
  readonly isDryRun: boolean;
  /** Value of a switch without argument. @throws Error when the program declares no such switch */
  flag(name: string): boolean;
  /** Value of a switch with argument. @throws Error when the program declares no such switch */
  option(name: string): string | undefined;
  /** Values of a repeatable switch. @throws Error when the program declares no such switch */
  optionList(name: string): readonly string[];
  /** Sleeps up to `ms`; ends at once on stop, reload, abort and `wake`. */
  sleep(ms: number): Promise<void>;
  /** Ends the current sleep, or makes the next one end at once. */
  wake(): void;
  /** Ends the loop after this round. */
  requestStop(exitCode?: number): void;
  /** SIGINT or `requestStop` came: finish what is begun and return. */
  readonly isStopping: boolean;
  /** Fires on SIGTERM, just before the process ends without finishing anything. */
  readonly abort: AbortSignal;
}
