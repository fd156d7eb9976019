import { exitOnSignal } from "@skytools/testbed";
import { CascadeModel } from "./cascade-model.ts";
import { ChaosRun } from "./chaos-run.ts";
import { runInNamespace } from "./mount-namespace.ts";
import { type ChaosOptions, parseOptions, usage } from "./options.ts";
import { reportText } from "./report.ts";
import { schedule } from "./schedule.ts";
import { tracks } from "./tracks.ts";

/** Lines of the history that a failure tells. */
const toldLines = 80;
const shownSteps = 30;

exitOnSignal();

async function main(): Promise<number> {
  let options: ChaosOptions | undefined;
  try {
    options = parseOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    return 2;
  }
  if (options === undefined) {
    process.stdout.write(usage);
    return 0;
  }
  if (options.isDryRun) return printSchedule(options);
  return (await runInNamespace()) ?? (await disturb(options));
}

function printSchedule({ seed, isJson }: ChaosOptions): number {
  for (const track of tracks) {
    const steps = schedule(seed, track, new CascadeModel());
    for (let nr = 1; nr <= shownSteps; nr += 1) {
      const { name, detail } = steps.next().value;
      const line = isJson
        ? JSON.stringify({ track: track.name, nr, name, detail })
        : `${track.name} ${nr}: ${name} ${detail}`;
      process.stdout.write(`${line}\n`);
    }
  }
  return 0;
}

async function disturb(options: ChaosOptions): Promise<number> {
  const tell = (line: string) => {
    if (options.isVerbose) process.stderr.write(`${line}\n`);
  };
  const run = new ChaosRun(options, tell);
  const deadline = setTimeout(() => {
    tellFailure(options, run, `not at an end ${options.deadlineMinutes} minutes after its start`);
    process.exit(1);
  }, options.deadlineMinutes * 60_000);
  try {
    const report = await run.run();
    process.stdout.write(`${options.isJson ? JSON.stringify(report) : reportText(report)}\n`);
    if (report.differences.length === 0) return 0;
  } catch (error) {
    tellFailure(options, run, error instanceof Error ? error.message : String(error));
    return 1;
  } finally {
    clearTimeout(deadline);
  }
  tellFailure(options, run, "it has not ended equal");
  return 1;
}

function tellFailure({ seed, minutes }: ChaosOptions, run: ChaosRun, reason: string): void {
  process.stderr.write(
    [
      run.logTails(),
      "-- history",
      ...run.history.lines.slice(-toldLines),
      `chaos, seed ${seed}: ${reason}`,
      `again: npm run test:chaos -- --seed ${seed} --minutes ${minutes}\n`,
    ].join("\n"),
  );
}

process.exit(await main());
