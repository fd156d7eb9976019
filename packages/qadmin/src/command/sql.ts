import type { CommandContext } from "./command-context.ts";

/** Hands a statement to the server as it was typed and shows what comes back, the command tag last. */
export async function runSql(context: CommandContext, statement: string): Promise<void> {
  if (context.isDryRun) {
    context.printer.document(statement, { step: statement });
    return;
  }
  const writer = context.printer.table();
  try {
    writer.end(await context.db.queryText(statement, [], writer));
  } catch (error) {
    writer.abandon();
    throw error;
  }
}
