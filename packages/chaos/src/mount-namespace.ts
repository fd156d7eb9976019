import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";

/** Set in a process that runs in a mount namespace of its own. */
export const namespaceVariable = "SKYTOOLS_CHAOS_NAMESPACE";

const unshare = ["--mount", "--propagation", "private", "--"];

/** Runs this program once more in a mount namespace of its own, so that what it mounts goes with it, however it ends.
 * @returns its exit code; undefined when this is that process, or when this user may not have such a namespace */
export async function runInNamespace(): Promise<number | undefined> {
  if (process.env[namespaceVariable] === "1" || process.getuid?.() !== 0) return undefined;
  if (spawnSync("unshare", [...unshare, "true"], { stdio: "ignore" }).status !== 0) return undefined;
  const child = spawn(
    "unshare",
    [...unshare, process.execPath, ...process.execArgv, ...process.argv.slice(1)],
    {
      stdio: "inherit",
      env: { ...process.env, [namespaceVariable]: "1" },
    },
  );
  for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"] as const) {
    process.removeAllListeners(signal);
    process.on(signal, () => child.kill(signal));
  }
  const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
  return code ?? 128 + constants.signals[signal ?? "SIGKILL"];
}
