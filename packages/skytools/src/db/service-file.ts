import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { UsageError } from "../errors.ts";
import { connectKeys } from "./connect-keys.ts";

/** The settings of one service of the user's service file (`servicefile`, PGSERVICEFILE or
 * ~/.pg_service.conf), else of the system's (PGSYSCONFDIR/pg_service.conf).
 * @throws UsageError when no file defines the service or its file is malformed
 * Source: PostgreSQL manual, libpq "The Connection Service File". */
export function readServiceFile(
  service: string,
  file: string | undefined,
  env: NodeJS.ProcessEnv,
): ReadonlyMap<string, string> {
  const userFile = file ?? env.PGSERVICEFILE;
  const candidates = [
    userFile ?? join(env.HOME ?? homedir(), ".pg_service.conf"),
    join(env.PGSYSCONFDIR ?? "/etc/postgresql-common", "pg_service.conf"),
  ];
  for (const [index, candidate] of candidates.entries()) {
    const text = readIfPresent(candidate);
    if (text === undefined) {
      if (index === 0 && userFile !== undefined)
        throw new UsageError(`service file "${candidate}" not found`);
      continue;
    }
    const settings = findService(text, service, candidate);
    if (settings !== undefined) return settings;
  }
  throw new UsageError(`definition of service "${service}" not found`, {
    hint: `The files searched are ${candidates.join(" and ")}.`,
  });
}

function readIfPresent(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR")) {
      return undefined;
    }
    throw new UsageError(`could not read service file "${file}"`, { cause: error });
  }
}

function findService(text: string, service: string, file: string): ReadonlyMap<string, string> | undefined {
  let settings: Map<string, string> | undefined;
  for (const [index, rawLine] of text.split(/\r?\n/).entries()) {
    const line = rawLine.trim();
    if (line === "" || line.startsWith("#")) continue;
    if (line.startsWith("[")) {
      if (settings !== undefined) return settings;
      if (line.startsWith(`[${service}]`)) settings = new Map();
      continue;
    }
    if (settings === undefined) continue;
    if (line.includes("\uFFFD"))
      throw new UsageError(`line ${index + 1} of service file "${file}" is not valid UTF-8`);
    const equals = line.indexOf("=");
    const key = equals < 0 ? "" : line.slice(0, equals);
    if (!Object.hasOwn(connectKeys, key) || key === "service" || key === "servicefile") {
      throw new UsageError(`syntax error in service file "${file}", line ${index + 1}`);
    }
    if (!settings.has(key)) settings.set(key, line.slice(equals + 1));
  }
  return settings;
}
