import { readFileSync } from "node:fs";
import {
  DaemonChild,
  daemonize,
  Pidfile,
  probePidfile,
  ServiceNotifier,
  SkytoolsError,
  Syslog,
  signalPidfile,
} from "@skytools/skytools";
import { parseCommandLine, type Request, usage } from "./command-line.ts";
import { Daemon } from "./daemon.ts";
import { DaemonLog } from "./daemon-log.ts";
import { describePgqd } from "./describe-pgqd.ts";
import { sampleFile } from "./setting-table.ts";
import { loadSettings, type Settings } from "./settings.ts";

/** Runs pgqd with the arguments that follow its name. @returns the exit code
 * Source: spec/pgq-library.md B1, B3, B8 */
export async function runPgqd(args: readonly string[]): Promise<number> {
  const background = DaemonChild.detect(process.env);
  try {
    const request = parseCommandLine(args);
    switch (request.kind) {
      case "help":
        process.stdout.write(usage());
        return 0;
      case "description":
        process.stdout.write(`${JSON.stringify(describePgqd(version()), undefined, 2)}\n`);
        return 0;
      case "check":
        process.stdout.write(`${loadSettings(request.file).file}: ok\n`);
        return 0;
      case "sample":
        process.stdout.write(sampleFile());
        return 0;
      case "version":
        process.stdout.write(`pgqd version ${version()}\n`);
        return 0;
      case "wrong":
        process.stderr.write(`pgqd: ${request.message}\n`);
        if (request.isUsageShown) process.stdout.write(usage());
        return 1;
      case "signal":
        return sendSignal(loadSettings(request.file), request.signal);
      case "run":
        return await start(request, args, background);
    }
  } catch (error) {
    if (!(error instanceof SkytoolsError)) throw error;
    const text = `pgqd: ${error.message}\n${error.hint === undefined ? "" : `HINT: ${error.hint}\n`}`;
    if (background === undefined) process.stderr.write(text);
    else background.write(text);
    return error.exitCode;
  }
}

function sendSignal(settings: Settings, signal: NodeJS.Signals): number {
  if (settings.pidfile === "") throw new SkytoolsError("PIDFILE", "no pidfile is configured");
  const isSent = signalPidfile(settings.pidfile, signal);
  process.stderr.write(isSent ? `${signal} sent\n` : `pgqd is not running (pidfile ${settings.pidfile})\n`);
  return 0;
}

async function start(
  request: Extract<Request, { kind: "run" }>,
  args: readonly string[],
  background: DaemonChild | undefined,
): Promise<number> {
  const settings = loadSettings(request.file);
  if (request.isDaemon && background === undefined) {
    checkBackground(settings);
    return daemonize(args, process.env);
  }
  const isStderrOn = !request.isQuiet && background === undefined;
  const log = openLog(settings, request.verbosity, isStderrOn);
  log.info(`Starting pgqd ${version()}`);
  const pidfile = settings.pidfile === "" ? undefined : new Pidfile(settings.pidfile, "\n");
  if (pidfile?.create() === "stale") log.info(`stale pidfile removed: ${settings.pidfile}`);
  const service = ServiceNotifier.detect(process.env);
  service.onMissingProgram(() =>
    log.warning("systemd is not told anything: systemd-notify cannot be started"),
  );
  try {
    const daemon = new Daemon(settings, log, version(), service);
    obeySignals({ daemon, log, pidfile, service }, settings);
    background?.reportStarted();
    service.ready();
    await daemon.run();
    return 0;
  } finally {
    await service.close();
    pidfile?.remove();
    await log.close();
  }
}

/** What would fail out of sight is looked at before going there. */
function checkBackground(settings: Settings): void {
  if (settings.pidfile === "") throw new SkytoolsError("PIDFILE", "-d needs a pidfile in the config file");
  if (settings.logfile === "" && !settings.isSyslogOn) {
    throw new SkytoolsError("LOGFILE", "-d needs a logfile or syslog in the config file");
  }
  const found = probePidfile(settings.pidfile);
  if (found.state !== "running") return;
  throw new SkytoolsError(
    "PIDFILE_BUSY",
    `Pidfile exists, another process running? (${settings.pidfile}, pid ${found.pid})`,
  );
}

function openLog(settings: Settings, verbosity: number, isStderrOn: boolean): DaemonLog {
  try {
    const { logfile } = settings;
    return new DaemonLog({ verbosity, isStderrOn, logfile, syslog: syslogOf(settings) });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SkytoolsError("LOGFILE", `cannot open the log file: ${reason}`, { cause });
  }
}

function syslogOf(settings: Settings): Syslog | undefined {
  if (!settings.isSyslogOn) return undefined;
  return new Syslog({ ident: settings.syslogIdent, facility: settings.syslogFacility });
}

/** What signals act on. */
interface RunningDaemon {
  readonly daemon: Daemon;
  readonly log: DaemonLog;
  readonly pidfile: Pidfile | undefined;
  readonly service: ServiceNotifier;
}

/** SIGINT: orderly end; a second one, or SIGTERM: at once; SIGHUP: read the file and open the log again. */
function obeySignals({ daemon, log, pidfile, service }: RunningDaemon, initial: Settings): void {
  let isStopping = false;
  let current = initial;
  const exitNow = (message: string) => {
    log.info(message);
    pidfile?.remove();
    process.exit(1);
  };
  process.on("SIGINT", () => {
    if (isStopping) exitNow("got SIGINT again, fast exit");
    isStopping = true;
    log.info("got SIGINT, shutting down");
    service.stopping();
    daemon.stop();
  });
  process.on("SIGTERM", () => exitNow("got SIGTERM, fast exit"));
  process.on("SIGHUP", () => {
    log.info("got SIGHUP, reloading");
    service.reloading();
    try {
      const settings = loadSettings(current.file, current);
      log.reopen(settings.logfile, syslogOf(settings));
      if (settings.pidfile !== initial.pidfile) log.warning("the new pidfile counts from the next start on");
      daemon.reload(settings);
      current = settings;
    } catch (error) {
      log.error(`old settings stay: ${error instanceof Error ? error.message : String(error)}`);
    }
    service.ready();
  });
  process.on("uncaughtException", (error) => {
    log.fatal(error.stack ?? error.message);
    pidfile?.remove();
    process.exit(1);
  });
}

function version(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
