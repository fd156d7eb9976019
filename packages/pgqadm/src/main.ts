import { runProgram } from "@skytools/skytools";
import { pgqadm } from "./cli.ts";

await runProgram(pgqadm);
