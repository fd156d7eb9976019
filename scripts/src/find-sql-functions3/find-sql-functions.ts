import { readFileSync } from "node:fs";
import { type Job, type Program, printJson, SkytoolsError } from "@skytools/skytools";
import { createdFunctions } from "@skytools/sql";
import { type ListedFunction, listedFunction } from "./listed-function.ts";

const markColumn = 72;

/** Prints the signatures of the functions that SQL files create, for a list of grants.
 * Source: spec/scripts.md section 12.2 */
export const findSqlFunctions: Program = {
  service: "find_sql_functions3",
  version: "1.0",
  summary: "prints the signatures of the functions that SQL files create",
  hasConfigFile: false,
  args: "<FILE...>",
  config: [],
  switches: [
    { flags: "-s, --security-definer", doc: "mark functions that run with the rights of their owner" },
    { flags: "-p, --prefix <words>", doc: "print statements that begin so: --prefix 'drop function'" },
  ],
  run,
};

async function run(job: Job): Promise<void> {
  const functions = job.args.flatMap((file) => createdFunctions(readSql(file)).map(listedFunction));
  if (job.json) {
    printJson(job.stdout, functions);
    return;
  }
  const prefix = job.option("prefix");
  for (const each of functions) job.stdout.write(`${lineOf(each, prefix, job.flag("securityDefiner"))}\n`);
}

function lineOf(
  { signature, isSecurityDefiner }: ListedFunction,
  prefix: string | undefined,
  isMarked: boolean,
): string {
  const line = prefix === undefined ? `    ${signature},` : `${prefix} ${signature};`;
  return isMarked && isSecurityDefiner ? `${line.padEnd(markColumn)}-- SECDEF` : line;
}

function readSql(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    const reason = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    throw new SkytoolsError("SQL_FILE", `cannot read ${file} (${reason})`, { cause });
  }
}
