import { exitOnSignal } from "@skytools/testbed";
import { runDemo } from "./demo.ts";
import { Narrator } from "./narrator.ts";
import { type DemoOptions, parseOptions, usage } from "./options.ts";

const narrator = new Narrator(process.stdout);

// Ending the process is enough: whatever it started and made goes with it, unless it was to be kept.
exitOnSignal(() => narrator.say("\ninterrupted: stopping everything and cleaning up"));

async function main(): Promise<number> {
  let options: DemoOptions | undefined;
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
  try {
    return (await runDemo(options, narrator)) ? 0 : 1;
  } catch (error) {
    process.stderr.write(`\nthe demo failed: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

process.exit(await main());
