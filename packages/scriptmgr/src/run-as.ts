import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { userInfo } from "node:os";
import { expandHome } from "@skytools/skytools";

export interface Outcome {
  /** undefined when the program cannot be started */
  readonly exitCode: number | undefined;
  /** the last lines of what it wrote, or why it cannot be started */
  readonly output: string;
}

/** The command that runs a program as a user, without a question: directly, by runuser as root, by sudo otherwise. */
export function commandAs(user: string | undefined, command: readonly string[]): readonly string[] {
  const me = userInfo();
  if (user === undefined || user === me.username) return command;
  const asUser = ["env", `HOME=${expandHome(`~${user}`)}`, `USER=${user}`, `LOGNAME=${user}`, ...command];
  return me.uid === 0
    ? ["runuser", "-u", user, "--", ...asUser]
    : ["sudo", "-nH", "-u", user, "--", ...command];
}

/** Runs a program to its end. Daemons that it leaves behind do not keep us waiting.
 * @param timeoutMs after that it is killed */
export async function runCommand(
  command: readonly string[],
  workingDirectory: string,
  timeoutMs: number,
): Promise<Outcome> {
  const [file, ...args] = command;
  const child = spawn(file!, args, {
    cwd: workingDirectory,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: timeoutMs,
  });
  let output = "";
  const collect = (chunk: Buffer) => {
    output = (output + chunk.toString("utf8")).slice(-4000);
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  const exitCode = await new Promise<number | undefined>((resolve) => {
    child.once("error", (error) => {
      // The system says of both that something is not there.
      output = existsSync(workingDirectory) ? error.message : `there is no directory ${workingDirectory}`;
      resolve(undefined);
    });
    child.once("exit", (code, signal) => {
      if (signal !== null) output += `ended by ${signal}`;
      resolve(code ?? 1);
    });
  });
  await new Promise((resolve) => setImmediate(resolve));
  child.stdout.destroy();
  child.stderr.destroy();
  return { exitCode, output: output.trim() };
}
