import type { ConfigFindings } from "../config/check-config.ts";
import type { Config } from "../config/config.ts";
import type { ConfigGroup } from "../config/config-key.ts";
// oxlint-disable-next-line import/no-cycle -- see job.ts
import type { Job } from "./job.ts";

/** One option of the command line. */
export interface Switch {
  /** commander syntax: `--wait-sync`, `--dest-table <name>`, `-f, --force`. The value is found under the camel-case name
   * of the long form; `--no-triggers` is a switch of its own, `noTriggers`, true when given. */
  readonly flags: string;
  readonly doc: string;
  /** value when the switch is not given */
  readonly default?: string | boolean;
  /** may be given several times; the value is then a list, empty by default */
  readonly repeatable?: boolean;
}

/** A switch that makes the program do one thing and end, for example `--register`. */
export interface StartupSwitch extends Switch {
  readonly run: (job: Job) => Promise<void>;
}

/** What the work loop calls. Whatever is thrown drops all connections, is logged, and after `exception_sleep` the loop goes
 * on; a UsageError ends the program. */
export interface LoopBody {
  /** Once, before the loop; a failure ends the program. */
  startup?(): Promise<void>;
  /** One round. "busy": there may be more, come again at once; "idle": sleep first. */
  work(): Promise<"busy" | "idle">;
  /** How long to sleep after an idle round, in milliseconds; left out: `loop_delay`, which is what it gets. */
  pauseMs?(usualMs: number): number;
  /** After SIGHUP, at the top of a round, when the configuration was read again successfully. */
  reload?(): Promise<void>;
  /** After a failure, once connections are dropped: forget volatile state. */
  reset?(): Promise<void>;
  /** After `onError`, instead of sleeping so many milliseconds; may connect again. What it throws is logged. */
  sleepAfterFailure?(ms: number): Promise<void>;
  /** After `reset` and after the failure was logged; may connect again. What it throws is logged. */
  onError?(error: unknown): Promise<void>;
  /** Once, after an orderly end of the loop. */
  shutdown?(): Promise<void>;
}

/** A command of a program that has several: `londiste3 conf.ini add-table ...`. Has either `run` or `loop`. */
export interface Command {
  readonly name: string;
  readonly aliases?: readonly string[];
  /** operands: `<NAME> [CONNSTR]`, `[TABLE...]`; a bare word is required */
  readonly args: string;
  readonly summary: string;
  readonly switches?: readonly Switch[];
  /** Evaluated in this order; when one is given, `run` or `loop` is not entered. They take no pidfile. */
  readonly startupSwitches?: readonly StartupSwitch[];
  /** own: the configured file; admin: `<pidfile>.admin`, one administrative command at a time; none: not at all */
  readonly pidfile: "own" | "admin" | "none";
  /** Appended to the name of an `own` pidfile, for example ".copy.public.t"; -s, -k and -r of this command follow it. */
  readonly pidfileSuffix?: (args: readonly string[]) => string;
  /** Not listed by --help. */
  readonly hidden?: boolean;
  /** What Ctrl-C does to a `run` command: `abort` (default) ends the process at once, open transactions are rolled back;
   * `finish` sets `job.isStopping` and lets the command come to its end. */
  readonly onInterrupt?: "abort" | "finish";
  /** @returns the exit code, 0 when void */
  readonly run?: (job: Job) => Promise<number> | Promise<void> | Promise<number | undefined>;
  readonly loop?: (job: Job) => LoopBody;
}

/** A program, as data. `runProgram` does the rest. */
export interface Program {
  /** section of the configuration file, name in the log */
  readonly service: string;
  /** old names of the section */
  readonly sectionAliases?: readonly string[];
  readonly version: string;
  /** what it is for, one line */
  readonly summary: string;
  /** keys, the program's own group first; those of the framework are added */
  readonly config: readonly ConfigGroup[];
  /** Mistakes that the types of keys do not show, or in other sections of the file; asked when each key by itself is good. */
  readonly findings?: (config: Config) => ConfigFindings;
  /** switches of every command */
  readonly switches: readonly Switch[];
  readonly startupSwitches?: readonly StartupSwitch[];
  readonly commands?: readonly Command[];
  /** operands after the configuration file, for a program without commands; syntax of `Command.args` */
  readonly args?: string;
  /** false: there is no configuration file, and no switch that goes with one or with a daemon. Default true */
  readonly hasConfigFile?: boolean;
  /** what stands at the end of --help, one line */
  readonly helpEnd?: string;
  /** for a program without commands: a daemon */
  readonly defaultLoop?: (job: Job) => LoopBody;
  /** for a program without commands and loop: what it does, once. @returns the exit code, 0 when void */
  readonly run?: Command["run"];
}

/** For commands that can say what they would do: declare it among `switches`, ask `job.isDryRun`. */
export const dryRunSwitch: Switch = {
  flags: "--dry-run",
  doc: "print the steps without doing them",
};
