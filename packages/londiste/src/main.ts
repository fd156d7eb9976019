import { runProgram } from "@skytools/skytools";
import { londiste } from "./cli.ts";

await runProgram(londiste);
