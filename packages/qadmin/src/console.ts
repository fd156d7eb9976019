import { type ScannedStatement, SkytoolsError } from "@skytools/skytools";
import { CommandContext, type CommandSettings } from "./command/command-context.ts";
import { consoleCommands } from "./command/command-table.ts";
import { Refusal } from "./command/refusal.ts";
import { runSql } from "./command/sql.ts";
import { parseStatement } from "./grammar/parse-statement.ts";
import { syntaxError } from "./grammar/syntax-error.ts";
import { consoleTokens } from "./grammar/token.ts";
import { errorText } from "./output/error-text.ts";
import type { Printer } from "./output/printer.ts";
import type { Session } from "./session/session.ts";

export interface ConsoleOptions extends Omit<CommandSettings, "leave"> {
  readonly session: Session;
  readonly printer: Printer;
  /** for what went wrong */
  readonly complain: (text: string) => void;
}

/** How a statement ended. `refused`: it could not be done as things are, which is no failure. */
export type Outcome = "done" | "refused" | "failed";

/** Runs statements one after the other and tells what comes of them. */
export class Console {
  readonly session: Session;
  readonly context: CommandContext;
  readonly #options: ConsoleOptions;
  isLeaving = false;
  /** a statement is being executed */
  isBusy = false;

  constructor(options: ConsoleOptions) {
    this.#options = options;
    this.session = options.session;
    this.context = new CommandContext(options.session, options.printer, {
      ...options,
      leave: () => {
        this.isLeaving = true;
      },
    });
  }

  /** Never throws for what a user or a server may do.
   * @param place where the statement stands in a script, for complaints */
  async execute(statement: ScannedStatement, place?: string): Promise<Outcome> {
    const { printer, complain } = this.#options;
    this.isBusy = true;
    try {
      await this.#reconnectWhenLost();
      await this.#run(statement, place);
      return "done";
    } catch (error) {
      if (error instanceof Refusal) {
        printer.message(error.message);
        return "refused";
      }
      complain(errorText(error, statement.text, place));
      return "failed";
    } finally {
      this.isBusy = false;
    }
  }

  async #run(statement: ScannedStatement, place: string | undefined): Promise<void> {
    const tokens = consoleTokens(statement);
    if (tokens.at(-1)?.text === ";") tokens.pop();
    if (tokens.length === 0) return;
    const parsed = parseStatement(consoleCommands, tokens);
    switch (parsed.kind) {
      case "command":
        return await parsed.command.run(this.context, parsed.values);
      case "sql":
        return await runSql(this.context, statement.text);
      case "problem":
        throw syntaxError(parsed, statement, place);
    }
  }

  /** A server that was restarted meanwhile costs nobody his console; what was open in the session is gone, so he is told. */
  async #reconnectWhenLost(): Promise<void> {
    if (!this.session.isLost) return;
    this.#options.complain("the connection to the server was lost, connecting again\n");
    await this.session.connect(this.session.connstr);
  }
}

/** Nobody is there to be asked.
 * @param what what was to be confirmed */
export function unconfirmed(what: string): SkytoolsError {
  return new SkytoolsError("UNCONFIRMED", `not confirmed: ${what}`, {
    hint: "Where nobody can be asked, --yes agrees to everything.",
  });
}
