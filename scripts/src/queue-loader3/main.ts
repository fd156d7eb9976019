import { runProgram } from "@skytools/skytools";
import { queueLoader } from "./queue-loader-program.ts";

await runProgram(queueLoader);
