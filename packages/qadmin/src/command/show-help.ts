import { nothing } from "../grammar/grammar.ts";
import { syntaxText } from "../grammar/syntax-text.ts";
import { type ConsoleCommand, commandGrammar } from "./command.ts";

/** @param commands what there is to explain, itself included */
export const showHelpCommand = (commands: () => readonly ConsoleCommand[]): ConsoleCommand => ({
  lead: "show help",
  rest: nothing,
  summary: "this list",
  run: async ({ printer }) => {
    const topics = commands().map((command) => helpTopic(command));
    const texts = topics.map(({ syntax, summary }) => `${syntax};\n    ${summary}\n`);
    const end =
      "anything else is SQL\n\nNames with capitals, blanks or signs need double quotes; * stands for all.\n";
    printer.document(`${texts.join("")}${end}`, { commands: topics });
  },
});

export function helpTopic(command: ConsoleCommand): { readonly syntax: string; readonly summary: string } {
  return { syntax: syntaxText(commandGrammar(command)), summary: command.summary };
}
