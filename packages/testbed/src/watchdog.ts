import { spawn } from "node:child_process";
import { markVariable, runMark } from "./process-mark.ts";

/** Outlives this process, even when that dies by SIGKILL, and then ends what it started. */
export interface Watchdog {
  /** Ends the watchdog without any effect. */
  release(): void;
}

// Waits for the end of its standard input, whose other end only this process holds. A postmaster is recognised by its
// working directory, a program by the mark in its environment: never by a name, and never by a number alone.
const script = `
read -r word
[ "$word" = release ] && exit 0
run=$1 mark=$2
for environ in /proc/[0-9]*/environ; do
  pid=\${environ#/proc/}; pid=\${pid%/environ}
  [ "$pid" = "$$" ] && continue
  if tr '\\0' '\\n' <"$environ" 2>/dev/null | grep -q "^$mark"; then kill -KILL "$pid" 2>/dev/null; fi
done
for data in "$run"/*/data; do
  if read -r pid <"$data/postmaster.pid" && [ "$(readlink "/proc/$pid/cwd")" = "$data" ]; then
    kill -QUIT "$pid"
    while [ -e "/proc/$pid/cwd" ] && [ "$(readlink "/proc/$pid/cwd")" = "$data" ]; do sleep 0.1; done
  fi
  rm -rf "$data"
done 2>/dev/null
`;

/** @param runDirectory holds a directory for each cluster, with the PostgreSQL data directory \`data\` in it */
export function startWatchdog(runDirectory: string): Watchdog {
  const environment = { PATH: process.env.PATH ?? "/usr/bin:/bin" };
  const child = spawn("/bin/sh", ["-c", script, "sh", runDirectory, `${markVariable}=${runMark}/`], {
    cwd: "/",
    env: environment,
    stdio: ["pipe", "ignore", "ignore"],
    // Ctrl-C goes to a whole process group: the watchdog must survive it.
    detached: true,
  });
  child.on("error", () => {});
  child.stdin.on("error", () => {});
  child.unref();
  (child.stdin as unknown as { unref?: () => void }).unref?.();
  return { release: () => void child.stdin.end("release\n") };
}
