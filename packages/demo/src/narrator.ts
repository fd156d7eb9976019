/** Where the story goes: a terminal or anything that takes text. */
export interface NarratorOutput {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** Tells the user what happens, in the order of time: titles with the clock, plain text, commands and their output. */
export class Narrator {
  readonly #out: NarratorOutput;
  readonly #started = performance.now();
  #step = 0;

  constructor(out: NarratorOutput) {
    this.#out = out;
  }

  get isTerminal(): boolean {
    return this.#out.isTTY === true;
  }

  get elapsedSeconds(): number {
    return (performance.now() - this.#started) / 1000;
  }

  title(text: string): void {
    this.#step += 1;
    const clock = `${this.elapsedSeconds.toFixed(1)} s`.padStart(7);
    this.#write(`\n${this.#style("1", `[${clock}] ${this.#step}. ${text}`)}`);
  }

  say(text: string): void {
    this.#write(text);
  }

  /** A command as the user would type it. */
  command(line: string): void {
    this.#write(this.#style("36", `$ ${line}`));
  }

  /** What a command printed, a little to the right. */
  output(text: string): void {
    const trimmed = text.trimEnd();
    if (trimmed !== "") this.#write(trimmed.replace(/^/gm, "    "));
  }

  #write(text: string): void {
    this.#out.write(`${text}\n`);
  }

  #style(code: string, text: string): string {
    return this.isTerminal ? `\u001b[${code}m${text}\u001b[0m` : text;
  }
}
