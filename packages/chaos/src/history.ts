/** What has happened so far, with the time since the start. */
export class History {
  readonly lines: string[] = [];
  readonly counts = new Map<string, number>();
  readonly #started = performance.now();
  readonly #tell: (line: string) => void;

  /** @param tell is given each line when it comes */
  constructor(tell: (line: string) => void) {
    this.#tell = tell;
  }

  get elapsedSeconds(): number {
    return (performance.now() - this.#started) / 1000;
  }

  note(text: string): void {
    const line = `${this.elapsedSeconds.toFixed(1).padStart(7)} s  ${text}`;
    this.lines.push(line);
    this.#tell(line);
  }

  count(name: string): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
  }
}
