import { runProgram } from "@skytools/skytools";
import { walmgr } from "./cli.ts";
import { isWithoutConfig, runWithoutConfig } from "./init/run-without-config.ts";

const argv = process.argv.slice(2);
if (isWithoutConfig(argv)) process.exitCode = await runWithoutConfig(argv);
else await runProgram(walmgr, argv);
