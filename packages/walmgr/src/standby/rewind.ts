import { spawnSync } from "node:child_process";
import { formatConnectString, isSecretConnectKey, parseConnectPairs } from "@skytools/skytools";
import type { Settings } from "../place/settings.ts";
import { WalError } from "../wal/wal-error.ts";
import { serverProgram } from "./server-control.ts";

/** Takes a data directory back to where it and another server still were one, by pg_rewind.
 * @throws WalError with what pg_rewind says
 * Source: PostgreSQL manual, pg_rewind */
export function rewind(settings: Settings, dataDirectory: string, conninfo: string): void {
  const pairs = new Map(parseConnectPairs(conninfo));
  const password = pairs.get("password");
  pairs.delete("password");
  const secret = [...pairs.keys()].find(isSecretConnectKey);
  if (secret !== undefined)
    throw new WalError(`pg_rewind would show everybody ${secret} of the connect string`, {
      hint: "rejoin --clone needs no other program.",
    });
  if (!pairs.has("dbname")) pairs.set("dbname", "postgres");
  const program = serverProgram(settings, "pg_rewind");
  const run = spawnSync(program, ["-D", dataDirectory, `--source-server=${formatConnectString(pairs)}`], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    // The command line is there for everybody to see.
    env: { ...process.env, LC_ALL: "C", ...(password === undefined ? {} : { PGPASSWORD: password }) },
  });
  if (run.status === 0) return;
  const text = `${run.stdout ?? ""}${run.stderr ?? ""}`.trim().split("\n").at(-1) ?? "";
  throw new WalError(`pg_rewind failed: ${run.error?.message ?? text}`, {
    hint: "rejoin --clone makes a new copy of the primary instead.",
  });
}
