import { runPgqd } from "./program.ts";

process.exit(await runPgqd(process.argv.slice(2)));
