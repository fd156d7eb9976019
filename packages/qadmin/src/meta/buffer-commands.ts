import { UsageError } from "@skytools/skytools";
import type { MetaCommand, MetaContext } from "./meta-command.ts";

const usualPeriodSeconds = 2;

export const quitCommand: MetaCommand = {
  name: "q",
  args: "",
  summary: "leave the console",
  run: async ({ console }) => {
    console.isLeaving = true;
  },
};

export const includeCommand: MetaCommand = {
  name: "i",
  args: "FILE",
  summary: "run the commands of a file",
  run: async (context, [file]) => {
    if (file === undefined) throw new UsageError("\\i wants a file");
    await context.runFile(file);
  },
};

export const printBufferCommand: MetaCommand = {
  name: "p",
  args: "",
  summary: "show the command that is begun, or the newest one",
  run: async (context) => context.write(`${context.begun() || context.newest()}\n`),
};

export const resetBufferCommand: MetaCommand = {
  name: "r",
  args: "",
  summary: "forget the command that is begun",
  run: async (context) => context.discard(),
};

export const againCommand: MetaCommand = {
  name: "g",
  args: "",
  summary: "run the command that is begun, or the newest one again",
  run: async (context) => {
    await context.run(repeatable(context));
  },
};

export const watchCommand: MetaCommand = {
  name: "watch",
  args: "[SECONDS]",
  summary: "run the newest command again and again, until Ctrl-C",
  run: async (context, [period = String(usualPeriodSeconds)]) => {
    if (!/^\d+(\.\d+)?$/.test(period) || Number(period) <= 0) {
      throw new UsageError(`"${period}" is not a number of seconds`);
    }
    const statement = repeatable(context);
    do {
      context.write(`${new Date().toLocaleString("sv")} (every ${period}s)\n\n`);
      if (!(await context.run(statement))) return;
    } while (await context.sleep(Number(period) * 1000));
  },
};

function repeatable(context: MetaContext): string {
  const statement = context.begun() || context.newest();
  if (statement === "") throw new UsageError("there is no command yet");
  return statement.trimEnd().endsWith(";") ? statement : `${statement}\n;`;
}
