import { runProgram } from "@skytools/skytools";
import { setadm } from "./setadm.ts";

await runProgram(setadm);
