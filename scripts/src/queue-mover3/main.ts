import { runProgram } from "@skytools/skytools";
import { queueMover } from "./queue-mover.ts";

await runProgram(queueMover);
