import { allParts, createTableSql, SequenceStructure, TableStructure } from "@skytools/skytools";
import { name } from "../grammar/grammar.ts";
import type { ConsoleCommand } from "./command.ts";
import type { CommandContext } from "./command-context.ts";

const line = "-".repeat(64);

export const showTableCommand: ConsoleCommand = {
  lead: "show table",
  rest: name("table", "TABLE", "table"),
  summary: "the statements that create a table with everything on it",
  run: async (context, values) => {
    const table = await TableStructure.load(context.db, values.required("table"));
    const { serverVersion } = context.db;
    print(context, createTableSql(table, { parts: allParts, serverVersion }));
  },
};

export const showSequenceCommand: ConsoleCommand = {
  lead: "show sequence",
  rest: name("sequence", "SEQUENCE", "sequence"),
  summary: "the statements that create a sequence where it stands",
  run: async (context, values) => {
    const sequence = await SequenceStructure.load(context.db, values.required("sequence"));
    print(context, sequence.createSql());
  },
};

function print({ printer }: CommandContext, statements: readonly string[]): void {
  const script = statements.map((statement) => `${statement};\n`).join("");
  printer.document(`${line}\n${script}${line}\n`, { statements });
}
