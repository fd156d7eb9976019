import { runProgram } from "@skytools/skytools";
import { walmgr } from "./cli.ts";

await runProgram(walmgr);
