import { writeFileSync } from "node:fs";
import { waitFor } from "@skytools/testbed";
import { judge } from "./judge.ts";
import type { SoakOptions } from "./options.ts";
import type { Disturbance } from "./part/part.ts";
import { parts } from "./part/parts.ts";
import { startTicker } from "./part/ticker.ts";
import { Recording } from "./recording.ts";
import type { SoakReport } from "./report.ts";
import { Stage } from "./stage.ts";

const writePauseMs = 250;
const disturbPauseMs = 1000;
/** A daemon that does nothing for so long will not do anything. */
const idleTimeoutMs = 300_000;
/** Twice a second. The exact time is left to chance, as it is for disturbances: in step with each other, all samples of a minute
 * would see the same moment of what happens. */
const samplePauseMs = 500;

/** Lets all daemons do their work as fast as they can, and records what they have. */
export class SoakRun {
  readonly #options: SoakOptions;
  readonly #tell: (line: string) => void;
  readonly #recording = new Recording();
  readonly #counts = new Map<string, number>();
  readonly #progress = new Map<string, number[]>();
  #failure: Error | undefined;

  /** @param tell is given what happens when it does */
  constructor(options: SoakOptions, tell: (line: string) => void) {
    this.#options = options;
    this.#tell = tell;
  }

  /** @throws Error when a daemon has ended, or a command failed */
  async run(): Promise<SoakReport> {
    const begun = performance.now();
    await using stage = await Stage.start();
    const ticker = await startTicker(stage);
    const running = [ticker, ...(await Promise.all(this.#options.parts.map((name) => parts[name](stage))))];
    this.#tell(`started: ${stage.daemons.map(({ plan }) => plan.name).join(", ")}`);
    const writing = running.map((part) => this.#repeat(stage, writePauseMs, () => part.write()));
    // A signal that comes before a daemon has begun would end it.
    await this.#allWork(stage);
    const started = performance.now();
    const setUpSeconds = Math.round((started - begun) / 1000);
    this.#tell(`all work; ${this.#options.minutes} minutes begin`);
    const ending = stage.pause(this.#options.minutes * 60_000).then(() => {
      stage.isEnding = true;
    });
    // What happens to one part comes one after the other: a command must not fail because its connection is cut.
    await Promise.all([
      ...writing,
      this.#disturb(stage, this.#always(stage), async () => {}),
      // Who is cut again before he has come back never does anything, on a busy machine.
      ...running.map((part) => this.#disturb(stage, part.disturbances, () => this.#allWork(stage))),
      this.#repeat(stage, samplePauseMs, () => this.#sample(stage)),
    ]);
    await ending;
    const { samples } = this.#options;
    if (samples !== undefined) writeFileSync(samples, this.#recording.lines());
    if (this.#failure !== undefined) throw this.#failure;
    return {
      setUpSeconds,
      seconds: Math.round((performance.now() - started) / 1000),
      disturbances: Object.fromEntries(this.#counts),
      idle: [...this.#progress].flatMap(([name, values]) => (movedLately(values) ? [] : name)),
      verdicts: this.#recording.series.map(judge),
    };
  }

  /** Waits until each daemon has done something from now on. */
  async #allWork(stage: Stage): Promise<void> {
    const before = await Promise.all(stage.daemons.map(({ plan }) => plan.progress()));
    for (const [index, { plan, program }] of stage.daemons.entries()) {
      await waitFor(
        `${plan.name} to do something`,
        async () => stage.isEnding || (await plan.progress()) > before[index]!,
        { timeoutMs: idleTimeoutMs, intervalMs: 100, onTimeout: () => program.outputTail() },
      );
    }
  }

  #always(stage: Stage): Disturbance[] {
    return [
      {
        name: "configurations change",
        run: async () => {
          for (const daemon of stage.daemons) daemon.reload();
        },
      },
      { name: "a checkpoint", run: () => stage.checkpoint() },
      {
        name: "logs are put aside",
        run: async () => {
          for (const daemon of stage.daemons) daemon.rotateLog();
        },
      },
    ];
  }

  /** Until the end, which a failure brings. */
  async #repeat(stage: Stage, pauseMs: number, step: () => Promise<void>): Promise<void> {
    try {
      while (!stage.isEnding) {
        await step();
        await stage.pause(pauseMs * (0.5 + Math.random()));
      }
    } catch (error) {
      this.#failure ??= error instanceof Error ? error : new Error(String(error));
      stage.isEnding = true;
    }
  }

  /** One after the other, again and again. @param recover waits until the next one may come */
  async #disturb(stage: Stage, lane: readonly Disturbance[], recover: () => Promise<void>): Promise<void> {
    let turn = 0;
    if (lane.length === 0) return;
    await this.#repeat(stage, disturbPauseMs, async () => {
      const disturbance = lane[turn % lane.length]!;
      const { name } = disturbance;
      turn += 1;
      await disturbance.run();
      this.#tell(name);
      this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
      await recover();
    });
  }

  async #sample(stage: Stage): Promise<void> {
    for (const daemon of stage.daemons) {
      const { name } = daemon.plan;
      this.#recording.add(name, daemon.figures());
      const values = this.#progress.get(name) ?? [];
      values.push(await daemon.plan.progress());
      this.#progress.set(name, values);
    }
    for (const [owner, sample] of await stage.figures()) this.#recording.add(owner, sample);
  }
}

/** The last third went beyond what was there before. */
function movedLately(values: readonly number[]): boolean {
  const end = Math.ceil((values.length * 2) / 3);
  return Math.max(...values.slice(end)) > Math.max(...values.slice(0, end));
}
