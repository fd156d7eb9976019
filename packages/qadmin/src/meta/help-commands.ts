import { consoleCommands } from "../command/command-table.ts";
import { helpTopic } from "../command/show-help.ts";
import type { MetaCommand } from "./meta-command.ts";

/** @param commands what there is to explain */
export const metaHelpCommand = (commands: () => readonly MetaCommand[]): MetaCommand => ({
  name: "?",
  args: "",
  summary: "this list",
  run: async ({ write }) => {
    const calls = commands().map(({ name, args, summary }) => [`\\${name} ${args}`, summary] as const);
    const width = Math.max(...calls.map(([call]) => call.length));
    const lines = calls.map(([call, summary]) => `${call.padEnd(width)}  ${summary}\n`);
    write(
      `${lines.join("")}\nshow help; lists the commands of the language. Ctrl-C drops a line or stops a command, Ctrl-D leaves.\n`,
    );
  },
});

export const syntaxHelpCommand: MetaCommand = {
  name: "h",
  args: "[WORDS]",
  summary: "syntax of the commands that begin so",
  completes: [...new Set(consoleCommands.map(({ lead }) => lead))],
  run: async ({ write }, args) => {
    const wanted = args.join(" ").toLowerCase();
    const found = consoleCommands.filter(({ lead }) => lead.startsWith(wanted)).map(helpTopic);
    if (found.length === 0) write(`no command begins with ${wanted}\n`);
    for (const { syntax, summary } of found) write(`${syntax};\n    ${summary}\n`);
  },
};
