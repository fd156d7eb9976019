import { runProgram } from "@skytools/skytools";
import { tableDispatcher } from "./table-dispatcher.ts";

await runProgram(tableDispatcher);
