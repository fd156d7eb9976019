import { installModules, type ModuleName } from "@skytools/sql";
import { nothing } from "../grammar/grammar.ts";
import type { ConsoleCommand } from "./command.ts";
import type { CommandContext } from "./command-context.ts";
import { Refusal } from "./refusal.ts";

const queueModules: readonly ModuleName[] = ["pgq", "pgq_ext", "pgq_coop", "pgq_node"];

export const installPgqCommand: ConsoleCommand = {
  lead: "install pgq",
  rest: nothing,
  summary: "install queues and cascades into the database, or bring them up to date",
  run: (context) => install(context, queueModules),
};

export const installLondisteCommand: ConsoleCommand = {
  lead: "install londiste",
  rest: nothing,
  summary: "the same and Londiste",
  run: (context) => install(context, [...queueModules, "londiste"]),
};

async function install(context: CommandContext, modules: readonly ModuleName[]): Promise<void> {
  if (context.db.inTransaction)
    throw new Refusal("Installing is a transaction of its own: commit or roll back first");
  await context.change(`install ${modules.join(", ")}`, "INSTALL", (db) => installModules(db, modules));
}
