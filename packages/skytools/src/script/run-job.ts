import type { Config } from "../config/config.ts";
import { UsageError } from "../errors.ts";
import type { Log } from "../log/log.ts";
import type { ProgramLog } from "../log/program-log.ts";
import type { CommandLine } from "./command-line.ts";
import { type DaemonChild, daemonize } from "./daemonize.ts";
import { crashLine, errorFields, exitCodeOf, messageOf, reportFailure } from "./error-report.ts";
import type { Job } from "./job.ts";
import { adminSuffix, checkPidfile, Pidfile, probePidfile, signalPidfile } from "./pidfile.ts";
import type { Command, LoopBody, Program, StartupSwitch } from "./program.ts";
import { RunningJob } from "./running-job.ts";
import { ServiceNotifier } from "./service-notifier.ts";
import { handleSignals } from "./signals.ts";
import { parseSwitch } from "./switch-table.ts";
import { flushStatistics, runLoop } from "./work-loop.ts";

/** A program that is ready to run: words, file and log are good. */
export interface JobRequest {
  readonly program: Program;
  readonly command: Command | undefined;
  readonly args: readonly string[];
  readonly switches: Readonly<Record<string, unknown>>;
  readonly given: CommandLine["given"];
  readonly config: Config;
  readonly programLog: ProgramLog;
  /** all words of the command line, for starting again in the background */
  readonly argv: readonly string[];
  readonly child: DaemonChild | undefined;
  readonly isDaemon: boolean;
  readonly isVerbose: boolean;
  readonly isJson: boolean;
}

/** Runs a program's command, loop or one-shot switches.
 * @returns exit code; failures have been logged */
export async function runJob(request: JobRequest): Promise<number> {
  const { program, command, config, programLog, child } = request;
  const { log } = programLog;
  const name = config.get("job_name");
  try {
    const oneShots = givenOneShots(request);
    const loop = command === undefined ? program.defaultLoop : command.loop;
    const isLoop = oneShots.length === 0 && loop !== undefined;
    const pidfile = oneShots.length > 0 ? "" : pidfilePath(config, command, request.args);
    if (request.isDaemon && child === undefined) {
      checkDaemon(isLoop, pidfile, command);
      if (checkPidfile(pidfile) === "stale") log.warn(`Ignoring stale pidfile ${pidfile}`);
      return await daemonize(request.argv, process.env);
    }
    const job = new RunningJob(program, {
      config,
      log,
      command,
      args: request.args,
      switches: request.switches,
      isVerbose: request.isVerbose,
      json: request.isJson,
    });
    const body: JobBody = async () => {
      for (const each of oneShots) await each.run(job);
      if (oneShots.length > 0) return 0;
      if (loop !== undefined) return await runDaemon(job, loop, programLog, () => child?.reportStarted());
      return (await (command ?? program).run?.(job)) ?? job.exitCode;
    };
    const mode = isLoop ? "loop" : (command?.onInterrupt ?? "abort");
    return await runGuarded(job, { pidfile, child, mode, programLog }, body);
  } catch (error) {
    reportFailure(log, name, error);
    return exitCodeOf(error);
  }
}

/** Runs a loop, of which systemd is told. */
async function runDaemon(
  job: RunningJob,
  loop: (job: Job) => LoopBody,
  programLog: ProgramLog,
  onStarted: () => void,
): Promise<number> {
  const service = ServiceNotifier.detect(process.env);
  service.onMissingProgram(() =>
    job.log.warn("systemd is not told anything: systemd-notify cannot be started"),
  );
  try {
    return await runLoop(job, loop(job), { service, onStarted, reopenLog: () => programLog.reopen() });
  } finally {
    await service.close();
  }
}

type JobBody = () => Promise<number>;

interface Guards {
  readonly pidfile: string;
  readonly child: DaemonChild | undefined;
  readonly mode: "loop" | "abort" | "finish";
  readonly programLog: ProgramLog;
}

/** Holds the pidfile and the signal handlers while a job runs, and closes its connections at the end. */
async function runGuarded(
  job: RunningJob,
  { pidfile, child, mode, programLog }: Guards,
  body: JobBody,
): Promise<number> {
  const file = pidfile === "" ? undefined : new Pidfile(pidfile);
  const cleanUp = () => file?.remove();
  process.on("exit", cleanUp);
  process.on("uncaughtException", (error) => crash(job, error));
  // Before the pidfile: whoever finds it may send a signal at once.
  const releaseSignals = handleSignals({ job, mode, cleanUp, closeLog: () => programLog.close() });
  try {
    if (file?.create() === "stale" && child === undefined) job.log.warn(`Ignoring stale pidfile ${pidfile}`);
    return await body();
  } catch (error) {
    // The process is about to end by a signal; what fails because of that is no news.
    if (job.abort.aborted) return await new Promise<never>(() => {});
    throw error;
  } finally {
    if (!job.abort.aborted) {
      flushStatistics(job);
      await closeDatabases(job);
      releaseSignals();
      cleanUp();
    }
  }
}

async function closeDatabases(job: RunningJob): Promise<void> {
  try {
    await job.databases.closeAll();
  } catch (error) {
    job.log.warn(`closing connections failed: ${messageOf(error)}`, { err: error });
  }
}

/** An error that nobody waits for: the state of the program is unknown, so it ends. */
function crash(job: RunningJob, error: unknown): void {
  job.log.fatal(crashLine(job.name, error), errorFields(error));
  process.exit(1);
}

/** The one-shot switches that were given, in the order of their declaration. */
function givenOneShots({ program, command, given }: JobRequest): StartupSwitch[] {
  const declared = [...(program.startupSwitches ?? []), ...(command?.startupSwitches ?? [])];
  return declared.filter((each) => given.has(parseSwitch(each).long));
}

function pidfilePath(config: Config, command: Command | undefined, args: readonly string[]): string {
  const base = config.has("pidfile") ? config.getFile("pidfile") : "";
  if (base === "" || command?.pidfile === "none") return "";
  if (command?.pidfile === "admin") return `${base}${adminSuffix}`;
  return `${base}${command?.pidfileSuffix?.(args) ?? ""}`;
}

/** What can be said about going to the background is said in the foreground. */
function checkDaemon(isLoop: boolean, pidfile: string, command: Command | undefined): void {
  if (!isLoop) {
    const what = command === undefined ? "one-shot switches" : `command "${command.name}"`;
    throw new UsageError(`option --daemon is not for ${what}`, { exitCode: 2 });
  }
  if (pidfile === "") {
    throw new UsageError("Daemon needs pidfile", { hint: "Set the key pidfile in the configuration file." });
  }
}

/** Carries out -r, -s and -k. An administrative command shares them with the worker.
 * @returns 0 whatever the outcome, as scripts expect; what went wrong is a warning
 * Source: spec/framework.md 2.2 */
export function signalProgram(
  config: Config,
  command: Command | undefined,
  args: readonly string[],
  signal: NodeJS.Signals,
  log: Log,
): number {
  const path = pidfilePath(config, command?.pidfile === "own" ? command : undefined, args);
  if (path === "") {
    log.warn("No pidfile configured, cannot signal the process");
    return 0;
  }
  try {
    const { state } = probePidfile(path);
    if (signalPidfile(path, signal)) return 0;
    log.warn(
      state === "absent"
        ? `Pidfile ${path} does not exist, process not running`
        : `Pidfile ${path} exists, but process not running`,
    );
  } catch (error) {
    log.warn(`Cannot send ${signal}: ${messageOf(error)}`);
  }
  return 0;
}
