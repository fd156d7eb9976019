import { runProgram } from "@skytools/skytools";
import { findSqlFunctions } from "./find-sql-functions.ts";

await runProgram(findSqlFunctions);
