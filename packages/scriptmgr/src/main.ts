import { runProgram } from "@skytools/skytools";
import { scriptmgr } from "./cli.ts";

await runProgram(scriptmgr);
