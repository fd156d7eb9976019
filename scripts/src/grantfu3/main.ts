import { runProgram } from "@skytools/skytools";
import { grantfu } from "./grantfu.ts";

await runProgram(grantfu);
