import type { Config } from "@skytools/skytools";
import { fullName } from "../names.ts";

/** What is appended to the worker's pidfile for the process that copies a table. Source: spec/londiste.md 8.1 */
export function copyPidfileSuffix(table: string): string {
  return `.copy.${fullName(table).replaceAll("/", "%2F")}`;
}

/** The pidfile of the process that copies a table; "" when none is configured. */
export function copyPidfile(config: Config, table: string): string {
  const base = config.has("pidfile") ? config.getFile("pidfile") : "";
  return base === "" ? "" : `${base}${copyPidfileSuffix(table)}`;
}
