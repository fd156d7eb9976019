import { ConfigError, UsageError } from "../errors.ts";
import { redactSecrets } from "../log/redact.ts";
import { crashLine, errorFields, exitCodeOf, messageOf, reportFailure } from "./error-report.ts";
import { FailureStreak } from "./failure-streak.ts";
import type { LoopBody } from "./program.ts";
import type { RunningJob } from "./running-job.ts";
import type { ServiceNotifier } from "./service-notifier.ts";

export interface LoopSurroundings {
  /** who wants to know how the daemon is */
  readonly service: ServiceNotifier;
  /** called when `startup` has succeeded */
  readonly onStarted: () => void;
  /** called on SIGHUP, before the configuration is read again */
  readonly reopenLog: () => void;
}

/** Runs a loop body to its end.
 * @returns exit code; a failure that ends the program has been logged
 * Source: spec/framework.md 3.1, 3.5, 3.6 */
export async function runLoop(
  job: RunningJob,
  body: LoopBody,
  surroundings: LoopSurroundings,
): Promise<number> {
  return new WorkLoop(job, body, surroundings).run();
}

type RoundResult = "busy" | "idle" | "failed" | { readonly exitCode: number };

class WorkLoop {
  readonly #job: RunningJob;
  readonly #body: LoopBody;
  readonly #service: ServiceNotifier;
  readonly #onStarted: () => void;
  readonly #reopenLog: () => void;
  readonly #streak: FailureStreak;

  constructor(job: RunningJob, body: LoopBody, { service, onStarted, reopenLog }: LoopSurroundings) {
    this.#job = job;
    this.#body = body;
    this.#service = service;
    this.#onStarted = onStarted;
    this.#reopenLog = reopenLog;
    this.#streak = new FailureStreak(job.config);
  }

  async run(): Promise<number> {
    const { log, name } = this.#job;
    try {
      await this.#body.startup?.();
      this.#onStarted();
      // A first batch may take longer than systemd waits for a start.
      void this.#job.firstConnection.then(() => this.#service.ready());
      const exitCode = await this.#rounds();
      this.#service.stopping();
      if (exitCode !== undefined) return exitCode;
      await this.#body.shutdown?.();
      return this.#job.exitCode;
    } catch (error) {
      flushStatistics(this.#job);
      reportFailure(log, name, error);
      return exitCodeOf(error);
    }
  }

  /** @returns exit code of a failed end, undefined for an orderly one */
  async #rounds(): Promise<number | undefined> {
    const { config } = this.#job;
    for (;;) {
      const result = await this.#round();
      if (typeof result === "object") return result.exitCode;
      this.#service.ready();
      const loopDelay = config.getFloat("loop_delay");
      if (this.#job.isStopping || loopDelay < 0) return undefined;
      if (result !== "idle") continue;
      if (loopDelay === 0) return undefined;
      if (this.#job.isReloadWanted) continue;
      const usualMs = loopDelay * 1000;
      await this.#job.sleep(this.#body.pauseMs?.(usualMs) ?? usualMs);
      if (this.#job.isStopping) return undefined;
    }
  }

  async #round(): Promise<RoundResult> {
    const job = this.#job;
    try {
      if (job.takeReload()) await this.#reload();
      const result = await this.#body.work();
      if (this.#streak.inARow > 0) job.log.info(`Job ${job.name} works again`);
      this.#streak.succeed(performance.now());
      const figures = flushStatistics(job);
      if (figures !== undefined) this.#service.status(figures);
      await job.databases.expire();
      return result;
    } catch (error) {
      if (job.abort.aborted) return await new Promise<never>(() => {});
      return await this.#fail(error);
    }
  }

  async #fail(error: unknown): Promise<RoundResult> {
    const job = this.#job;
    flushStatistics(job);
    if (error instanceof UsageError) {
      reportFailure(job.log, job.name, error);
      await this.#dropState();
      return { exitCode: error.exitCode };
    }
    const now = performance.now();
    this.#streak.fail(now);
    await this.#dropState();
    this.#logFailure(error, now);
    await this.#afterFailure("onError", () => this.#body.onError?.(error));
    await job.databases.closeAll();
    if (job.isStopping || job.config.getFloat("loop_delay") <= 0) return { exitCode: exitCodeOf(error) };
    if (!job.isReloadWanted) await this.#sleepAfterFailure();
    return "failed";
  }

  async #sleepAfterFailure(): Promise<void> {
    const ms = this.#streak.sleepMs();
    if (this.#body.sleepAfterFailure === undefined) return this.#job.sleep(ms);
    await this.#afterFailure("sleep", () => this.#body.sleepAfterFailure?.(ms));
    await this.#job.databases.closeAll();
  }

  #logFailure(error: unknown, now: number): void {
    const job = this.#job;
    const line = crashLine(job.name, error);
    this.#service.status(`failing, ${this.#streak.inARow} in a row: ${redactSecrets(line)}`);
    if (this.#streak.isQuiet(error, now)) job.log.warn(line);
    else job.log.error(line, errorFields(error));
  }

  async #dropState(): Promise<void> {
    await this.#afterFailure("closing connections", () => this.#job.databases.closeAll());
    await this.#afterFailure("reset", () => this.#body.reset?.());
  }

  /** What is done because of a failure must not hide it by failing too. */
  async #afterFailure(what: string, action: () => Promise<void> | undefined): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.#job.log.warn(`${what} failed after an error: ${messageOf(error)}`, { err: error });
    }
  }

  async #reload(): Promise<void> {
    this.#service.reloading();
    try {
      await this.#takeNewConfig();
    } finally {
      this.#service.ready();
    }
  }

  async #takeNewConfig(): Promise<void> {
    const job = this.#job;
    this.#reopenLog();
    try {
      const findings = job.config.reload(job.program.findings);
      for (const suspicion of findings.suspicions) job.log.warn(suspicion.message);
      job.log.info("Config reloaded");
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      const line = `Config not reloaded, the old one stays: ${error.message}`;
      if (isMissingFile(error)) job.log.warn(line);
      else job.log.error(line, errorFields(error));
      return;
    }
    await this.#body.reload?.();
  }
}

/** Somebody may be about to put a new file in the place of the old one. */
function isMissingFile({ cause }: ConfigError): boolean {
  return cause instanceof Error && "code" in cause && cause.code === "ENOENT";
}

/** Logs the figures of a round. @returns the line, undefined when there are none */
export function flushStatistics({ statistics, log }: RunningJob): string | undefined {
  const figures = statistics.take();
  if (figures !== undefined) log.info(figures.line, { statistics: figures.fields });
  return figures?.line;
}
