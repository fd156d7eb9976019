import { setTimeout as sleep } from "node:timers/promises";
import { type ScannedStatement, StatementScanner, UsageError } from "@skytools/skytools";
import type { CommandLine } from "../command-line.ts";
import { LiveNames } from "../completion/live-names.ts";
import { Console } from "../console.ts";
import type { MetaContext } from "../meta/meta-command.ts";
import { parseMetaLine } from "../meta/meta-line.ts";
import { errorText } from "../output/error-text.ts";
import { JsonPrinter } from "../output/json-printer.ts";
import { TextPrinter } from "../output/text-printer.ts";
import { readScript, runScript } from "../script.ts";
import type { Session } from "../session/session.ts";
import { readVersions, versionLine } from "../session/versions.ts";
import { confirmation, isYes } from "./ask-on-terminal.ts";
import { historyEntries } from "./history-entries.ts";
import { HistoryFile } from "./history-file.ts";
import { LineCompletion } from "./line-completion.ts";
import { promptText } from "./prompt.ts";
import { TerminalInput } from "./terminal-input.ts";

export interface Streams {
  readonly write: (text: string) => void;
  readonly complain: (text: string) => void;
}

/** Words that mean a command without its semicolon, when they stand alone. */
const bareWords: Readonly<Record<string, string>> = { exit: "exit;", quit: "exit;", help: "show help;" };

/** The console for somebody at a terminal.
 * Source: spec/qadmin.md 2; beyond it: statements of several lines, backslash commands */
export class InteractiveConsole {
  readonly #session: Session;
  readonly #line: CommandLine;
  readonly #streams: Streams;
  readonly #layout: TextPrinter | undefined;
  readonly #console: Console;
  readonly #names = new LiveNames();
  readonly #history: HistoryFile;
  readonly #input: TerminalInput;
  readonly #meta: MetaContext;
  #scanner = newScanner();
  /** lines since the last complete command */
  #typed: string[] = [];
  #newest = "";
  #interrupted = new AbortController();

  constructor(session: Session, line: CommandLine, streams: Streams) {
    const { write, complain } = streams;
    this.#session = session;
    this.#line = line;
    this.#streams = streams;
    this.#layout = line.isJson ? undefined : new TextPrinter(write, line.isExpanded);
    this.#console = new Console({
      session,
      printer: this.#layout ?? new JsonPrinter(write),
      complain,
      isDryRun: line.isDryRun,
      confirm: (what) => this.#confirm(what),
    });
    this.#history = new HistoryFile((message) => complain(`WARNING: ${message}\n`));
    const completion = new LineCompletion(session, this.#names);
    this.#input = new TerminalInput({
      history: this.#history.read(),
      complete: (text) => completion.complete(this.#scanner.rest.text, text),
    });
    this.#meta = this.#metaContext();
  }

  /** Until the user leaves. @returns the exit code */
  async run(): Promise<number> {
    try {
      if (!this.#line.isQuiet) await this.#welcome();
      await this.#converse();
      return 0;
    } finally {
      this.#input.close();
      await this.#names[Symbol.asyncDispose]();
    }
  }

  async #converse(): Promise<void> {
    while (!this.#console.isLeaving) {
      const input = await this.#input.read(promptText(this.#session, this.#scanner.open));
      this.#names.forget();
      if (input.kind === "end") {
        this.#streams.write("\n");
        return;
      }
      if (input.kind === "interrupt") this.#discard();
      else await this.#take(input.text);
    }
  }

  async #welcome(): Promise<void> {
    const versions = versionLine(await readVersions(this.#session.db));
    this.#streams.write(
      `Welcome to ${versions}.\nUse "show help;" or "\\?" to see commands, "\\q" to leave.\n`,
    );
  }

  async #take(text: string): Promise<void> {
    this.#interrupted = new AbortController();
    this.#typed.push(text);
    const isStart = this.#scanner.open === undefined;
    if (/^\s*\\/.test(text) && (isStart || this.#scanner.open === "statement")) {
      await this.#busy(() => this.#runMeta(text));
      if (isStart) this.#remember();
      else this.#typed.pop();
      return;
    }
    const bare = isStart ? bareWords[text.trim().toLowerCase()] : undefined;
    const statements = this.#scanner.add(`${bare ?? text}\n`);
    if (this.#scanner.open === undefined) this.#remember();
    for (const statement of statements) {
      if (this.#console.isLeaving || this.#interrupted.signal.aborted) break;
      this.#newest = statement.text;
      await this.#busy(() => this.#execute(statement));
    }
  }

  async #execute(statement: ScannedStatement): Promise<boolean> {
    const begin = performance.now();
    const outcome = await this.#console.execute(statement);
    if (this.#meta.isTimed) this.#streams.write(`Time: ${(performance.now() - begin).toFixed(3)} ms\n`);
    return outcome !== "failed";
  }

  async #runMeta(text: string): Promise<void> {
    try {
      const { command, args } = parseMetaLine(text);
      await command.run(this.#meta, args);
    } catch (error) {
      this.#streams.complain(errorText(error, undefined, undefined));
    }
  }

  /** Ctrl-C meanwhile stops what runs on the server, and what would come after it. */
  async #busy(body: () => Promise<unknown>): Promise<void> {
    const interrupt = () => {
      this.#interrupted.abort();
      void this.#session.db.cancelRunning();
    };
    await this.#input.whileBusy(interrupt, body);
  }

  #remember(): void {
    for (const entry of historyEntries(this.#typed)) {
      this.#input.remember(entry);
      this.#history.add(entry);
    }
    this.#typed = [];
  }

  #discard(): void {
    this.#scanner = newScanner();
    this.#typed = [];
  }

  async #confirm(what: string): Promise<boolean> {
    if (this.#line.agreesToAll) return true;
    const answer = await this.#input.ask(confirmation(what));
    return answer.kind === "line" && isYes(answer.text);
  }

  #metaContext(): MetaContext {
    const { write, complain } = this.#streams;
    return {
      console: this.#console,
      layout: this.#layout,
      write,
      complain,
      isTimed: false,
      newest: () => this.#newest,
      begun: () => this.#scanner.rest.text.trim(),
      discard: () => this.#discard(),
      run: (statement) => this.#runText(statement),
      runFile: (path) => this.#runFile(path),
      sleep: async (milliseconds) => {
        const { signal } = this.#interrupted;
        return await sleep(milliseconds, true, { signal }).catch(() => false);
      },
    };
  }

  async #runText(text: string): Promise<boolean> {
    this.#discard();
    const [statement] = newScanner().add(text);
    if (statement === undefined) throw new UsageError("the command is not complete");
    this.#newest = statement.text;
    return (await this.#execute(statement)) && !this.#interrupted.signal.aborted;
  }

  async #runFile(path: string): Promise<void> {
    const options = { name: path, isStrict: this.#line.isStrict, complain: this.#streams.complain };
    await runScript(this.#console, [readScript(path)], options);
  }
}

function newScanner(): StatementScanner {
  return new StatementScanner({ joinsNames: true });
}
