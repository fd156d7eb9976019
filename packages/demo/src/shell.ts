import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runProgram } from "@skytools/testbed";
import type { Narrator } from "./narrator.ts";

/** Runs the product's commands as separate processes in the demo's directory, and shows each before it runs. */
export class Shell {
  readonly #directory: string;
  readonly #narrator: Narrator;

  constructor(directory: string, narrator: Narrator) {
    this.#directory = directory;
    this.#narrator = narrator;
  }

  /** Shows the command and its output.
   * @returns its standard output
   * @throws Error when it fails */
  async run(command: string, ...args: string[]): Promise<string> {
    this.#narrator.command(commandLine(command, args));
    const { code, stdout, stderr } = await runProgram(command, args, { cwd: this.#directory });
    this.#narrator.output(stderr);
    this.#narrator.output(stdout);
    if (code !== 0) throw new Error(failure(command, args, code, stderr));
    return stdout;
  }
}

function failure(command: string, args: readonly string[], code: number, stderr: string): string {
  const reason = stderr.trimEnd().split("\n").at(-1) ?? "";
  return `${commandLine(command, args)} ended with exit code ${code}: ${reason}`;
}

/** The command as a POSIX shell reads it. */
export function commandLine(command: string, args: readonly string[]): string {
  return [command, ...args.map(quoteArgument)].join(" ");
}

function quoteArgument(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** Where npm links the commands of all packages of this checkout. */
export function commandDirectory(): string {
  return join(fileURLToPath(new URL("../../../", import.meta.url)), "node_modules", ".bin");
}
