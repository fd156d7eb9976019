import { runProgram } from "@skytools/skytools";
import { catsql } from "./catsql.ts";

await runProgram(catsql);
