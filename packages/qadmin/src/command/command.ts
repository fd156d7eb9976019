import { type Grammar, sequence, words } from "../grammar/grammar.ts";
import type { CommandContext } from "./command-context.ts";
import type { CommandValues } from "./command-values.ts";

/** One command of the console language. */
export interface ConsoleCommand {
  /** its first words: a statement that begins with all of them is this command, and no SQL */
  readonly lead: string;
  /** what follows them */
  readonly rest: Grammar;
  readonly summary: string;
  readonly run: (context: CommandContext, values: CommandValues) => Promise<void>;
}

export const commandGrammar = (command: ConsoleCommand): Grammar =>
  sequence(words(command.lead), command.rest);

export const leadWords = (command: ConsoleCommand): string[] => command.lead.split(" ");
