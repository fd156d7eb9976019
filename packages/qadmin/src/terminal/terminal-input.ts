import { createInterface, type Interface } from "node:readline";

export type Input =
  | { readonly kind: "line"; readonly text: string }
  /** Ctrl-C */
  | { readonly kind: "interrupt" }
  /** Ctrl-D, or the terminal is gone */
  | { readonly kind: "end" };

const historyLength = 1000;

export interface TerminalInputOptions {
  /** the newest first */
  readonly history: readonly string[];
  /** @param line what stands before the cursor
   * @returns candidates, and the end of the line that they stand for */
  readonly complete: (line: string) => Promise<[candidates: string[], replaced: string]>;
}

/** Lines from the terminal, edited with history and completion. While a statement runs the terminal is an ordinary one: Ctrl-C is a
 * signal, and what is typed waits. */
export class TerminalInput {
  readonly #readline: Interface;
  /** typed or pasted before anybody asked for it */
  readonly #lines: string[] = [];
  #waiting: ((input: Input) => void) | undefined;
  #history: string[] = [];
  #isEnded = false;

  constructor({ history, complete }: TerminalInputOptions) {
    this.#readline = createInterface({
      input: process.stdin,
      output: process.stdout,
      terminal: true,
      history: [...history],
      historySize: historyLength,
      completer: (line: string, answer: (error: null, result: [string[], string]) => void) => {
        complete(line).then(
          (result) => answer(null, result),
          (error: unknown) => {
            this.#interject(`no completion: ${error instanceof Error ? error.message : String(error)}`);
            answer(null, [[], line]);
          },
        );
      },
    });
    this.#readline
      .on("line", (text) => this.#give({ kind: "line", text }))
      .on("SIGINT", () => this.#give({ kind: "interrupt" }))
      .on("close", () => {
        this.#isEnded = true;
        this.#give({ kind: "end" });
      })
      .on("history", (entries) => {
        // A line is no entry of its own: it may be a part of a command, or an answer.
        this.#history = entries;
        entries.shift();
      });
  }

  /** The next line, which may have been typed already. */
  async read(prompt: string): Promise<Input> {
    const text = this.#lines.shift();
    if (text !== undefined) return { kind: "line", text };
    if (this.#isEnded) return { kind: "end" };
    this.#readline.setPrompt(prompt);
    this.#readline.prompt(this.#readline.line !== "");
    return await new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  /** Something that the user may want to see again. */
  remember(entry: string): void {
    const old = this.#history.indexOf(entry);
    if (old >= 0) this.#history.splice(old, 1);
    this.#history.unshift(entry);
    this.#history.splice(historyLength);
  }

  /** @param interrupt what Ctrl-C does meanwhile */
  async whileBusy<T>(interrupt: () => void, body: () => Promise<T>): Promise<T> {
    this.#readline.pause();
    process.stdin.setRawMode(false);
    process.on("SIGINT", interrupt);
    try {
      return await body();
    } finally {
      process.off("SIGINT", interrupt);
      if (!this.#isEnded) process.stdin.setRawMode(true);
    }
  }

  /** Asks something while a statement runs. */
  async ask(question: string): Promise<Input> {
    process.stdin.setRawMode(true);
    const answer = await this.read(question);
    this.#readline.pause();
    process.stdin.setRawMode(false);
    return answer;
  }

  close(): void {
    this.#readline.close();
  }

  #give(input: Input): void {
    if (input.kind === "interrupt") {
      this.#discardLine();
      this.#lines.length = 0;
    }
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) waiting(input);
    else if (input.kind === "line") this.#lines.push(input.text);
  }

  /** Says something while a line is being edited. */
  #interject(message: string): void {
    process.stdout.write(`\n${message}\n`);
    this.#readline.prompt(true);
  }

  #discardLine(): void {
    process.stdout.write("^C\n");
    // The documented way to empty the line: Ctrl-E, Ctrl-U.
    this.#readline.write(null, { ctrl: true, name: "e" });
    this.#readline.write(null, { ctrl: true, name: "u" });
  }
}
