import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { UsageError } from "@skytools/skytools";

/** Where the parts of a server are. */
export interface ServerLocation {
  readonly dataDirectory: string;
  readonly binDirectory: string;
  readonly configFile: string;
}

/** Guesses from what the server left in its data directory when it was started last.
 * @param pgdata undefined: the environment says
 * @throws UsageError when no data directory is known
 * Source: spec/walmgr.md 3.2 */
export function locateServer(pgdata: string | undefined): ServerLocation {
  const dataDirectory = pgdata ?? process.env.PGDATA;
  if (dataDirectory === undefined || dataDirectory === "") {
    throw new UsageError("which data directory? Give --pgdata, or set PGDATA");
  }
  const options = join(dataDirectory, "postmaster.opts");
  const [program = "", ...args] = existsSync(options) ? words(readFileSync(options, "utf8")) : [];
  const named = args
    .map((arg) => /^(?:--|-c)?config[_-]file=(.*)$/s.exec(arg)?.[1])
    .findLast((value) => value !== undefined);
  return {
    dataDirectory,
    binDirectory: program.includes("/") ? dirname(program) : pathDirectory(),
    configFile: named ?? join(dataDirectory, "postgresql.conf"),
  };
}

function pathDirectory(): string {
  return (process.env.PATH ?? "").split(":").find((dir) => existsSync(join(dir, "postgres"))) ?? "";
}

/** The server's program, and its arguments, which stand in double quotes. Source: CreateOptsFile in PostgreSQL's postmaster.c */
function words(line: string): string[] {
  return line
    .trim()
    .replace(/"$/, "")
    .split(/" "| "/);
}
