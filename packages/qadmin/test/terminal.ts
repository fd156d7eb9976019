import { stripVTControlCharacters } from "node:util";
import { commandPath, type RunningProgram, startProgram, waitFor } from "@skytools/testbed";

export const keys = { tab: "\t", enter: "\r", up: "\x1b[A", interrupt: "\x03", end: "\x04" };

/** qadmin at a terminal of its own: util-linux's `script` makes one for it. */
export class Terminal implements AsyncDisposable {
  readonly #program: RunningProgram;
  #seen = 0;

  /** @param words plain ones only: a shell reads them */
  constructor(words: readonly string[], env: Readonly<Record<string, string>>) {
    const command = [process.execPath, commandPath("qadmin"), ...words].join(" ");
    this.#program = startProgram("script", ["-qefc", `stty cols 150 rows 50; exec ${command}`, "/dev/null"], {
      isInputOpen: true,
      env: { ...env, TERM: "xterm", SHELL: "/bin/sh" },
    });
  }

  /** Presses keys. */
  type(text: string): void {
    this.#program.write(text);
  }

  /** Waits until the screen shows something new that matches.
   * @returns all that is new up to its end, as a reader of the screen would have seen it go by */
  async expect(pattern: RegExp): Promise<string> {
    return await waitFor(
      `${pattern} on the terminal`,
      () => {
        const screen = this.screen();
        const match = pattern.exec(screen.slice(this.#seen));
        if (match === null) {
          if (!this.#program.isRunning) throw new Error("the program has ended");
          return undefined;
        }
        const begin = this.#seen;
        this.#seen += match.index + match[0].length;
        return screen.slice(begin, this.#seen);
      },
      { onTimeout: () => JSON.stringify(this.screen().slice(this.#seen)), intervalMs: 10 },
    );
  }

  /** Types a line and waits for what it leads to. */
  async enter(line: string, pattern: RegExp): Promise<string> {
    this.type(`${line}${keys.enter}`);
    return await this.expect(pattern);
  }

  /** everything shown so far, without what moves the cursor */
  screen(): string {
    return stripVTControlCharacters(this.#program.stdoutText()).replaceAll("\r", "");
  }

  get pid(): number {
    return this.#program.pid;
  }

  async exitCode(): Promise<number | null> {
    return (await this.#program.exit).code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
  }
}
