import { nothing } from "../grammar/grammar.ts";
import type { ConsoleCommand } from "./command.ts";

export const exitCommand: ConsoleCommand = {
  lead: "exit",
  rest: nothing,
  summary: "leave the console",
  run: async (context) => context.leave(),
};
