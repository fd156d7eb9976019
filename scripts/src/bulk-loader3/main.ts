import { runProgram } from "@skytools/skytools";
import { bulkLoader } from "./bulk-loader.ts";

await runProgram(bulkLoader);
