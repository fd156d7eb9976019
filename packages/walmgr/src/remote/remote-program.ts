import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { environmentWithoutPassword } from "@skytools/skytools";
import { storageTrouble } from "../wal/wal-error.ts";
import { shellCommand } from "./shell-quote.ts";

/** How to start walmgr on another host. */
export interface RemoteHost {
  /** as ssh takes it: `host` or `user@host` */
  readonly host: string;
  /** further options for ssh */
  readonly sshOptions: readonly string[];
  /** the program there */
  readonly programPath: string;
  /** its configuration file there */
  readonly configFile: string;
  /** seconds without a byte in either direction after which the connection counts as dead */
  readonly timeoutSeconds: number;
}

export interface RemoteResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts walmgr on the other host. Arguments reach it unchanged: they are quoted for the shell that ssh starts there.
 * Source: spec/walmgr.md 6.3 */
export function startRemote(remote: RemoteHost, args: readonly string[]): ChildProcessWithoutNullStreams {
  const { host, sshOptions, programPath, configFile, timeoutSeconds } = remote;
  const interval = Math.max(1, Math.floor(timeoutSeconds / 3));
  const command = shellCommand([programPath, configFile, ...args]);
  const options = [
    "BatchMode=yes",
    `ConnectTimeout=${Math.max(1, Math.ceil(timeoutSeconds))}`,
    `ServerAliveInterval=${interval}`,
    "ServerAliveCountMax=2",
  ].flatMap((option) => ["-o", option]);
  return spawn("ssh", ["-T", ...options, ...sshOptions, "--", host, command], {
    stdio: ["pipe", "pipe", "pipe"],
    env: environmentWithoutPassword(),
  });
}

/** Runs one command of walmgr on the other host to its end.
 * @throws WalError exit code 2 when the host cannot be reached or does not answer */
export async function runRemote(
  remote: RemoteHost,
  args: readonly string[],
  input: Buffer = Buffer.alloc(0),
): Promise<RemoteResult> {
  const child = startRemote(remote, args);
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(-20_000);
  });
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const code = await new Promise<number>((resolve, reject) => {
    child.once("error", (error) => reject(sshTrouble(remote.host, "could not be started", error)));
    child.once("close", (exitCode, signal) => {
      if (exitCode === null || exitCode === 255) {
        reject(sshTrouble(remote.host, lastLine(stderr) || `ended by ${signal ?? "code 255"}`));
      } else resolve(exitCode);
    });
  });
  return { code, stdout, stderr };
}

export function sshTrouble(host: string, what: string, cause?: unknown) {
  return storageTrouble(`ssh to ${host}: ${what}`, cause);
}

export function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1)?.trim() ?? "";
}
