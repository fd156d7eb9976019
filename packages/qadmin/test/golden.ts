import { readFileSync, writeFileSync } from "node:fs";
import { StatementScanner } from "@skytools/skytools";
import { Console } from "#src/console.js";
import { JsonPrinter } from "#src/output/json-printer.js";
import { TextPrinter } from "#src/output/text-printer.js";
import { Session } from "#src/session/session.js";

const directory = new URL("../test/golden/", import.meta.url);

export interface GoldenOptions {
  readonly isJson?: boolean;
  readonly isExpanded?: boolean;
  readonly isDryRun?: boolean;
}

/** Runs every command of a script, also after failures, and returns what a user would have seen, the commands too. */
export async function runGolden(
  connstr: string,
  name: string,
  { isJson = false, isExpanded = false, isDryRun = false }: GoldenOptions = {},
): Promise<string> {
  let output = "";
  const write = (text: string) => {
    output += text;
  };
  await using session = new Session({
    onNotice: ({ severity, message }) => write(`${severity}: ${message}\n`),
    onWarning: write,
  });
  const console = new Console({
    session,
    printer: isJson ? new JsonPrinter(write) : new TextPrinter(write, isExpanded),
    complain: write,
    isDryRun,
    confirm: async (what) => {
      write(`[${what}?]\n`);
      return true;
    },
  });
  await session.connect(connstr);
  const scanner = new StatementScanner({ joinsNames: true });
  const statements = scanner.add(readFileSync(new URL(`${name}.qa`, directory), "utf8"));
  for (const statement of [...statements, scanner.rest]) {
    if (console.isLeaving || statement.text === "") break;
    write(`> ${statement.text}\n`);
    await console.execute(statement);
  }
  return steadyText(output);
}

/** Without what differs between runs: times, transaction ids, versions, and the widths that follow from them. */
function steadyText(output: string): string {
  return output
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?\+\d\d( *\| *|",")?/g, "TIME$2")
    .replaceAll(/TIME +\d+/g, "TIME TXID")
    .replaceAll(/-?\d\d:\d\d:\d\d\.\d+/g, "AGE")
    .replaceAll(/^(qadmin|server|pgq) version .*/gm, "$1 version ...")
    .replaceAll(/"(qadmin|server)":"[^"]*"/g, '"$1":"..."')
    .replaceAll(/^qadmin \(.*\)/gm, "qadmin (...)")
    .replaceAll(/-{3,}/g, "---")
    .replaceAll(/ {2,}/g, "  ")
    .replaceAll(/AGE {2}\d+\.\d/g, "AGE  RATE")
    .replaceAll(/ +$/gm, "");
}

/** The output that a script is known to have; with UPDATE_GOLDEN in the environment it is what it has now. */
export function goldenOutput(name: string, actual: string): string {
  const file = new URL(`${name}.out`, directory);
  if (process.env.UPDATE_GOLDEN !== undefined) writeFileSync(file, actual);
  return readFileSync(file, "utf8");
}
