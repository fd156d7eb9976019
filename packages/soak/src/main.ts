import { existsSync } from "node:fs";
import { exitOnSignal } from "@skytools/testbed";
import { parseOptions, type SoakOptions, usage } from "./options.ts";
import { exitCodeOf, reportText } from "./report.ts";
import { SoakRun } from "./soak-run.ts";

exitOnSignal();

async function main(): Promise<number> {
  let options: SoakOptions | undefined;
  try {
    options = parseOptions(process.argv.slice(2));
    if (!existsSync("/proc/self/fd")) throw new Error("there is no /proc: this needs Linux");
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    return 2;
  }
  if (options === undefined) {
    process.stdout.write(usage);
    return 0;
  }
  return soak(options);
}

async function soak(options: SoakOptions): Promise<number> {
  const begin = performance.now();
  const run = new SoakRun(options, (line) => {
    const seconds = ((performance.now() - begin) / 1000).toFixed(1);
    if (options.isVerbose) process.stderr.write(`${seconds.padStart(7)} ${line}\n`);
  });
  try {
    const report = await run.run();
    process.stdout.write(`${options.isJson ? JSON.stringify(report) : reportText(report)}\n`);
    return exitCodeOf(report);
  } catch (error) {
    process.stderr.write(`soak: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

process.exit(await main());
