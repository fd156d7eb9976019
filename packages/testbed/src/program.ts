import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, existsSync, realpathSync } from "node:fs";
import { constants as osConstants } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { kill, killMarked, markVariable, nextProgramMark } from "./process-mark.ts";
import { reachableProgram } from "./program-copy.ts";
import { onRunExit } from "./run-directory.ts";
import { serverAccount, spawnIdentity } from "./server-account.ts";

export interface ProgramOptions {
  /** Added to this process's own environment; undefined takes a variable out. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Text for standard input, which is empty otherwise. */
  readonly input?: string;
  /** Standard input stays open for write(). */
  readonly isInputOpen?: boolean;
  /** Runs under the account of the servers, as what they call themselves does. */
  readonly asServerAccount?: boolean;
}

export interface ProgramExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ProgramResult {
  /** Exit code; 128 + number when a signal ended it, as a shell reports it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A child process in a process group of its own, with its output collected. */
export class RunningProgram implements AsyncDisposable {
  /** Resolves when the process has ended and its output is complete. */
  readonly exit: Promise<ProgramExit>;
  readonly commandLine: string;
  readonly #child: ChildProcess;
  readonly #mark = nextProgramMark();
  #stdout = "";
  #stderr = "";
  #end: ProgramExit | undefined;

  constructor(command: string, args: readonly string[], options: ProgramOptions) {
    const [file, fileArgs] = resolveProgram(command, options.asServerAccount === true);
    this.commandLine = [command, ...args].join(" ");
    this.#child = spawn(file, [...fileArgs, ...args], {
      cwd: options.cwd,
      env: { ...process.env, ...options.env, [markVariable]: this.#mark },
      detached: true,
      ...(options.asServerAccount === true ? spawnIdentity(serverAccount()) : {}),
    });
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#stdout += text;
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
    this.#child.stdin?.on("error", () => {});
    this.#child.stdin?.write(options.input ?? "");
    if (options.isInputOpen !== true) this.#child.stdin?.end();
    // Daemons outlive the program that made them, but not this process.
    onRunExit(() => killMarked(this.#mark));
    this.exit = new Promise((resolve, reject) => {
      this.#child.once("error", reject);
      this.#child.once("close", (code, signal) => {
        this.#end = { code, signal };
        resolve(this.#end);
      });
    });
    // Whoever waits sees the failure; whoever does not must not crash by it.
    this.exit.catch(() => {});
  }

  get pid(): number {
    return Number(this.#child.pid);
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  stdoutText(): string {
    return this.#stdout;
  }

  stderrText(): string {
    return this.#stderr;
  }

  /** More standard input, for a program that was started with isInputOpen. */
  write(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** Sends the signal to the process itself, not to its children. */
  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Waits until stdout or stderr matches, from its beginning.
   * @throws Error with the end of the output, at the deadline or when the program ended without a match */
  async waitForOutput(
    pattern: RegExp,
    options: { readonly timeoutMs?: number } = {},
  ): Promise<RegExpExecArray> {
    const timeoutMs = options.timeoutMs ?? 180_000;
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const end = this.#end;
      const match = pattern.exec(this.#stdout) ?? pattern.exec(this.#stderr);
      if (match !== null) return match;
      if (end !== undefined) {
        throw new Error(
          `${this.commandLine} ended (${end.signal ?? `code ${end.code}`}) before its output matched ${pattern}${this.outputTail()}`,
        );
      }
      if (performance.now() > deadline) {
        throw new Error(
          `timed out after ${timeoutMs / 1000} s waiting for ${pattern} from ${this.commandLine}${this.outputTail()}`,
        );
      }
      await Promise.race([this.exit, sleep(20)]);
    }
  }

  /** The last lines of both outputs, for messages. */
  outputTail(): string {
    const tail = (title: string, text: string) =>
      text === "" ? "" : `\n-- ${title}\n${text.trimEnd().split("\n").slice(-30).join("\n")}`;
    const all = tail("stdout", this.#stdout) + tail("stderr", this.#stderr);
    return all === "" ? "\n-- no output" : all;
  }

  /** Kills the program hard, with everything it started, daemons too, and waits for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.pid === undefined) return;
    kill(-this.#child.pid);
    killMarked(this.#mark);
    await this.exit;
  }
}

/** Starts a program. Disposing it kills it with its children.
 * @param command a path, a JavaScript file (run by this Node), or the name of a command of a workspace package */
export function startProgram(
  command: string,
  args: readonly string[],
  options: ProgramOptions = {},
): RunningProgram {
  return new RunningProgram(command, args, options);
}

/** Runs a program to its end; a failing exit code is a result, not an error. A daemon that it leaves behind goes on, until
 * this process exits.
 * @throws Error when it cannot be started */
export async function runProgram(
  command: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<ProgramResult> {
  const program = startProgram(command, args, options);
  const { code, signal } = await program.exit;
  const signalCode = signal === null ? 0 : 128 + signalNumber(signal);
  return { code: code ?? signalCode, stdout: program.stdoutText(), stderr: program.stderrText() };
}

function resolveProgram(command: string, asServerAccount: boolean): [file: string, args: string[]] {
  const path = command.includes("/") ? command : (findCommand(command) ?? command);
  if (!path.includes("/") || !existsSync(path)) return [path, []];
  const real = realpathSync(path);
  if (/\.[cm]?js$/.test(real)) {
    if (!asServerAccount) return [process.execPath, [real]];
    const { node, script } = reachableProgram(real);
    return [node, [script]];
  }
  accessSync(real, constants.X_OK);
  return [real, []];
}

/** The path of a workspace package's command, for whoever starts it by himself, under the servers' account too.
 * @throws Error when there is none */
export function commandPath(name: string): string {
  const path = findCommand(name);
  if (path === undefined) throw new Error(`no package has a command ${name}`);
  return reachableProgram(realpathSync(path)).script;
}

/** Looks for node_modules/.bin/<name> upwards from here. */
function findCommand(name: string): string | undefined {
  for (let dir = dirname(fileURLToPath(import.meta.url)); dir !== dirname(dir); dir = dirname(dir)) {
    const path = join(dir, "node_modules", ".bin", name);
    if (existsSync(path)) return path;
  }
  return undefined;
}

function signalNumber(name: NodeJS.Signals): number {
  return osConstants.signals[name];
}
