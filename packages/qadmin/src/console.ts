import { type ScannedStatement, SkytoolsError } from "@skytools/skytools";
import { CommandContext, type CommandSettings } from "./command/command-context.ts";
import { consoleCommands } from "./command/command-table.ts";
import { Refusal } from "./command/refusal.ts";
import { runSql } from "./command/sql.ts";
import { type ParsedStatement, parseStatement, type SyntaxProblem } from "./grammar/parse-statement.ts";
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
    let sql: string | undefined;
    this.isBusy = true;
    try {
      await this.#reconnectWhenLost();
      const parsed = this.#parse(statement, place);
      if (parsed?.kind === "command") await parsed.command.run(this.context, parsed.values);
      if (parsed?.kind === "sql") {
        sql = statement.text;
        await runSql(this.context, sql);
      }
      return "done";
    } catch (error) {
      if (error instanceof Refusal) {
        printer.message(error.message);
        return "refused";
      }
      complain(errorText(error, sql, place));
      return "failed";
    } finally {
      this.isBusy = false;
    }
  }

  /** @returns undefined for nothing but a semicolon
   * @throws SkytoolsError SYNTAX */
  #parse(
    statement: ScannedStatement,
    place: string | undefined,
  ): Exclude<ParsedStatement, SyntaxProblem> | undefined {
    const tokens = consoleTokens(statement);
    if (tokens.at(-1)?.text === ";") tokens.pop();
    if (tokens.length === 0) return undefined;
    const parsed = parseStatement(consoleCommands, tokens);
    if (parsed.kind === "problem") throw syntaxError(parsed, statement, place);
    return parsed;
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
