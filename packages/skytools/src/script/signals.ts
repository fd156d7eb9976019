import type { RunningJob } from "./running-job.ts";

const doubleInterruptMs = 1000;
const cancelPatienceMs = 500;

export interface SignalOptions {
  readonly job: RunningJob;
  /** loop: SIGINT ends the loop after its round, SIGHUP reloads; abort: SIGINT ends the process at once;
   * finish: SIGINT sets `isStopping` */
  readonly mode: "loop" | "abort" | "finish";
  /** removes what must not stay, such as the pidfile */
  readonly cleanUp: () => void;
  /** resolves when the log has left the process */
  readonly closeLog: () => Promise<void>;
}

/** Installs the signal handlers of a program.
 * @returns takes them away again
 * Source: spec/framework.md 3.4 */
export function handleSignals({ job, mode, cleanUp, closeLog }: SignalOptions): () => void {
  let lastInterruptMs = Number.NEGATIVE_INFINITY;
  const end = (signal: NodeJS.Signals) => {
    job.log.warn(`got ${signal}, ending at once`);
    void endBySignal(signal, job, cleanUp, closeLog);
  };
  const onTerminate = () => end("SIGTERM");
  const onInterrupt = () => {
    if (mode === "abort") {
      end("SIGINT");
      return;
    }
    if (performance.now() - lastInterruptMs < doubleInterruptMs) {
      job.log.warn("got SIGINT twice, ending at once");
      cleanUp();
      process.exit(1);
    }
    lastInterruptMs = performance.now();
    job.log.info("got SIGINT, ending after this round");
    job.requestStop();
  };
  const onHangUp = () => job.requestReload();
  process.on("SIGTERM", onTerminate);
  process.on("SIGINT", onInterrupt);
  if (mode === "loop") process.on("SIGHUP", onHangUp);
  return () => {
    process.off("SIGTERM", onTerminate);
    process.off("SIGINT", onInterrupt);
    process.off("SIGHUP", onHangUp);
  };
}

/** Ends by the signal's own action, so that the parent sees it, but not before the servers were asked to cancel: a
 * statement that waits for a lock would otherwise stay in the queue, and block others, though nobody wants it any more. */
async function endBySignal(
  signal: NodeJS.Signals,
  job: RunningJob,
  cleanUp: () => void,
  closeLog: () => Promise<void>,
): Promise<void> {
  job.abortNow();
  await withinPatience(Promise.all([job.databases.cancelAll(), closeLog()]));
  cleanUp();
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

async function withinPatience(work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, cancelPatienceMs);
  });
  await Promise.race([work, patience]);
  clearTimeout(timer);
}
