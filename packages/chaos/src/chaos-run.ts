import { RandomSource } from "@skytools/testbed";
import { noteArrivals } from "./arrivals.ts";
import type { CascadeModel } from "./cascade-model.ts";
import { createSet } from "./create-set.ts";
import { findDifferences } from "./differences.ts";
import { History } from "./history.ts";
import { fillDisk } from "./impediment/fill-disk.ts";
import { silentServers } from "./impediment/silent-servers.ts";
import { OneAtATime } from "./one-at-a-time.ts";
import type { ChaosOptions } from "./options.ts";
import { countEvents } from "./queue-content.ts";
import type { Replayed } from "./replayed.ts";
import type { ChaosReport } from "./report.ts";
import { schedule } from "./schedule.ts";
import { settle } from "./settle.ts";
import { SmallDisk } from "./small-disk.ts";
import { Stage } from "./stage.ts";
import { Throughput } from "./throughput.ts";
import { tracks } from "./tracks.ts";
import { Writer } from "./writer.ts";

const writerCount = 3;
const isLinux = process.platform === "linux";
/** So often everything is brought to rest and compared. */
const roundMs = 120_000;
/** At the beginning nobody disturbs the writers, for comparison. */
const calmMs = 15_000;

/** Disturbs a set of nodes for the time that was asked for, and compares everything at the end of each round. */
export class ChaosRun {
  readonly history: History;
  readonly #options: ChaosOptions;
  readonly #skipped: string[] = [];
  #failure: Error | undefined;
  #stage: Stage | undefined;

  /** @param tell is given each line of the history when it comes */
  constructor(options: ChaosOptions, tell: (line: string) => void) {
    this.#options = options;
    this.history = new History(tell);
  }

  /** @returns what was done, and the differences at the end of the first round that has any
   * @throws Error when something did not happen in time */
  async run(): Promise<ChaosReport> {
    const { seed, minutes } = this.#options;
    const smallDisk = await SmallDisk.mount();
    if (smallDisk === undefined) this.#skipped.push("disk full: this process may not mount a small disk");
    await using stage = await Stage.start(smallDisk);
    this.#stage = stage;
    const model = await createSet(stage);
    this.history.note("the set is complete");
    if (!isLinux) this.#skipped.push("servers silent: only Linux tells which connections a process has");
    const without = [...(smallDisk === undefined ? [fillDisk] : []), ...(isLinux ? [] : [silentServers])];
    const lanes = tracks.map((track) => schedule(seed, track, model, without));
    const oneAtATime = new OneAtATime(seed, without);
    const [calm, disturbed] = [new Throughput(), new Throughput()];
    const writers = Array.from({ length: writerCount }, (_, nr) => new Writer(stage, seed, nr + 1));
    const end = performance.now() + minutes * 60_000;
    const watching = new RandomSource(seed * 7 + 5);
    await stage.rotations.note(stage);
    let rounds = 0;
    let watchedRounds = 0;
    let differences: string[] = [];
    while (differences.length === 0 && performance.now() < end) {
      // Where that is so, nothing is applied in sets.
      const areArrivalsNoted = rounds > 0 && watching.chance(0.5);
      if (areArrivalsNoted) await noteArrivals(stage, true);
      stage.isEnding = false;
      stage.backlog.start();
      for (const writer of writers) writer.start();
      if (rounds === 0) await calm.during(stage, model, () => stage.pause(calmMs));
      await oneAtATime.disturb(stage, model, this.history);
      const roundEnd = Math.min(end, performance.now() + roundMs);
      await disturbed.during(stage, model, () => this.#disturb(stage, lanes, roundEnd));
      await stage.backlog.stop();
      for (const writer of writers) await writer.stop();
      if (this.#failure !== undefined) throw this.#failure;
      this.history.note("at rest");
      await settle(stage, model);
      differences = await findDifferences(stage, model, areArrivalsNoted);
      if (areArrivalsNoted) await noteArrivals(stage, false);
      rounds += 1;
      watchedRounds += areArrivalsNoted ? 1 : 0;
      this.history.note(`compared: ${differences.length} differences`);
    }
    if (differences.length === 0) await this.#compare(stage, model);
    const replayed = stage.replayed();
    return {
      seed,
      minutes,
      rounds,
      watchedRounds,
      disturbances: Object.fromEntries(this.history.counts),
      transactions: stage.ledger.accepted.size,
      failedTransactions: stage.ledger.uncertain.size,
      lostWithRoots: stage.ledger.setAside.size,
      events: await countEvents(stage, model.root),
      replayed,
      recoveries: stage.recoveries.summary(),
      calm: calm.rate,
      disturbed: disturbed.rate,
      seconds: Math.round(this.history.elapsedSeconds),
      skipped: this.#skipped,
      differences: [...differences, ...this.#findUntried(stage, replayed)],
    };
  }

  /** Everything at once until the time, and everything whole again. */
  async #disturb(stage: Stage, lanes: readonly ReturnType<typeof schedule>[], end: number): Promise<void> {
    const ending = stage.pause(end - performance.now()).then(() => {
      stage.isEnding = true;
    });
    await Promise.all(lanes.map((lane) => this.#follow(stage, lane)));
    await ending;
  }

  async #follow(stage: Stage, lane: ReturnType<typeof schedule>): Promise<void> {
    while (!stage.isEnding) {
      const step = lane.next().value;
      this.history.note(`${step.track}: ${step.name} ${step.detail}`);
      const started = performance.now();
      try {
        await step.run(stage);
      } catch (error) {
        this.#failure ??= new Error(`${step.track}: ${step.name} ${step.detail}: ${String(error)}`, {
          cause: error,
        });
        stage.isEnding = true;
        return;
      }
      this.history.count(`${step.track}: ${step.name}`);
      if (step.track === "operation") {
        this.history.note(`  done after ${((performance.now() - started) / 1000).toFixed(1)} s`);
      }
      await stage.pause(step.pauseMs);
    }
  }

  /** What a run has to have done so that its result says something. */
  #findUntried({ silencedConnections }: Stage, { setWise, givenUp }: Replayed): string[] {
    const wasSilent = silencedConnections > 0 && this.history.counts.has(`alone: ${silentServers.name}`);
    return [
      ...(setWise === 0 ? ["no event was applied in a set"] : []),
      ...(wasSilent && givenUp === 0 ? ["no worker has given up a connection that had become silent"] : []),
    ];
  }

  /** The commands' own comparison, too. */
  async #compare(stage: Stage, model: CascadeModel): Promise<void> {
    for (const key of model.subscribers) await stage.londiste(key, ["compare"]);
  }

  /** Ends of the daemons' logs, for a failure. */
  logTails(): string {
    return this.#stage?.logTails() ?? "";
  }
}
