import { spawnSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import {
  crashPoint,
  formatConnectString,
  isSecretConnectKey,
  type Log,
  parseConnectPairs,
} from "@skytools/skytools";
import { runningServer } from "../place/server-directory.ts";
import type { Settings } from "../place/settings.ts";
import { readControlFile } from "../wal/control-file.ts";
import { WalError } from "../wal/wal-error.ts";
import { serverProgram } from "./server-control.ts";
import { setStartGuard, startGuard } from "./start-guard.ts";

const leftOverTimeoutMs = 120_000;
const pollMs = 200;
const cloneHint = "rejoin --clone makes a new copy of the primary instead.";

/** Takes a data directory back to where it and another server still were one, by pg_rewind. At no moment a server can be started on
 * what is neither the one nor the other: from before pg_rewind changes anything until the caller has said how it is to start, the
 * directory has a guard.
 * @throws WalError with what pg_rewind says; without a guard when it has changed nothing
 * Source: PostgreSQL manual, pg_rewind */
export async function rewind(
  settings: Settings,
  dataDirectory: string,
  conninfo: string,
  log: Log,
): Promise<void> {
  refuseSecrets(conninfo);
  const before = startGuard(dataDirectory);
  if (before === "rewound") return;
  if (before === "none" && !readControlFile(dataDirectory).isShutDown)
    await finishCrashRecovery(settings, dataDirectory, log);
  await setStartGuard(dataDirectory, "rewinding");
  crashPoint("rejoin.guarded");
  let failure = refusal(dataDirectory);
  let hasChanged = before !== "none";
  if (failure === undefined) {
    const run = runRewind(settings, dataDirectory, conninfo);
    failure = run.failure;
    hasChanged ||= run.hasChanged;
  }
  if (failure !== undefined) {
    if (!hasChanged) await setStartGuard(dataDirectory, "none");
    const state = hasChanged ? ` No server starts on ${dataDirectory} before that.` : "";
    throw new WalError(failure, { hint: `${cloneHint}${state}` });
  }
  await setStartGuard(dataDirectory, "rewound");
  crashPoint("rejoin.rewound");
}

/** @throws WalError for a secret beside the password, which alone can be given by the environment */
function refuseSecrets(conninfo: string): void {
  const keys = [...parseConnectPairs(conninfo).keys()];
  const secret = keys.find((key) => key !== "password" && isSecretConnectKey(key));
  if (secret === undefined) return;
  throw new WalError(`pg_rewind would show everybody ${secret} of the connect string`, {
    hint: "rejoin --clone needs no other program.",
  });
}

/** Why pg_rewind must not begin; seen when no server can be started any more. */
function refusal(dataDirectory: string): string | undefined {
  if (runningServer(dataDirectory) !== undefined) return `a server runs on ${dataDirectory}`;
  if (readControlFile(dataDirectory).isShutDown) return undefined;
  return `an earlier pg_rewind of ${dataDirectory} was interrupted at its end: what it wrote may not be on the disk`;
}

/** What a server has left that was not shut down is replayed before: that is still the old primary, which starts as one.
 * pg_rewind would do that by itself, and could not, with the guard. Processes of a killed server may live on for a while: the one that
 * archives ends with the command that it has called. */
async function finishCrashRecovery(settings: Settings, dataDirectory: string, log: Log): Promise<void> {
  const deadline = performance.now() + leftOverTimeoutMs;
  for (let isTold = false; ; isTold = true) {
    const failure = runSingleServer(settings, dataDirectory);
    if (failure === undefined) return;
    if (!/shared memory block .* is still in use/.test(failure) || performance.now() > deadline) {
      throw new WalError(
        `the server on ${dataDirectory} was not shut down, and cannot be recovered: ${failure.split("\n").at(-1)}`,
        { hint: cloneHint },
      );
    }
    if (!isTold)
      log.info(`Processes of the server that was on ${dataDirectory} are still there, waiting for them`);
    await sleep(pollMs);
  }
}

/** @returns what it says when it fails */
function runSingleServer(settings: Settings, dataDirectory: string): string | undefined {
  const config =
    settings.role === "primary" && settings.has("master_config")
      ? ["-c", `config_file=${settings.config.getFile("master_config")}`]
      : [];
  const program = serverProgram(settings, "postgres");
  const run = spawnSync(
    program,
    ["--single", "-D", dataDirectory, "-c", "lc_messages=C", ...config, "template1"],
    {
      encoding: "utf8",
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, LC_ALL: "C" },
    },
  );
  return run.status === 0 ? undefined : (run.error?.message ?? run.stderr.trim());
}

interface RewindRun {
  readonly failure: string | undefined;
  readonly hasChanged: boolean;
}

function runRewind(settings: Settings, dataDirectory: string, conninfo: string): RewindRun {
  const pairs = new Map(parseConnectPairs(conninfo));
  const password = pairs.get("password");
  pairs.delete("password");
  if (!pairs.has("dbname")) pairs.set("dbname", "postgres");
  const run = spawnSync(
    serverProgram(settings, "pg_rewind"),
    [
      "-D",
      dataDirectory,
      `--source-server=${formatConnectString(pairs)}`,
      "--no-ensure-shutdown",
      "--progress",
    ],
    {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      // The command line is there for everybody to see.
      env: { ...process.env, LC_ALL: "C", ...(password === undefined ? {} : { PGPASSWORD: password }) },
      // Its progress is a line each second.
      maxBuffer: 64 << 20,
    },
  );
  if (run.status === 0) return { failure: undefined, hasChanged: true };
  const text = `${run.stdout ?? ""}${run.stderr ?? ""}`.trim();
  return {
    failure: `pg_rewind failed: ${run.error?.message ?? text.split(/[\r\n]/).at(-1) ?? ""}`,
    // The last that it says before it writes; one that was killed may have said nothing.
    hasChanged: run.signal !== null || /need to copy/.test(text),
  };
}
