import { runProgram } from "@skytools/skytools";
import { queueSplitter } from "./queue-splitter.ts";

await runProgram(queueSplitter);
