import { runProgram } from "@skytools/skytools";
import { dataMaintainer } from "./data-maintainer.ts";

await runProgram(dataMaintainer);
