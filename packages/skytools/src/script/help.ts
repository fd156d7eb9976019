import { Command as Formatter, Option } from "commander";
import type { Command, Program } from "./program.ts";
import type { ParsedSwitch, SwitchTable } from "./switch-table.ts";

/** The text of --help: of the program, or of one command.
 * @param name what the user typed to start the program */
export function helpText(
  program: Program,
  table: SwitchTable,
  command: Command | undefined,
  name: string,
): string {
  if (command !== undefined) return commandHelp(program, table, command, name);
  const hasCommands = program.commands !== undefined;
  const formatter = newFormatter(name, usageWords(program));
  formatter.description(program.summary);
  addOptions(formatter, table.shared, "Options of this program:");
  addOptions(formatter, table.common, "Common options:");
  for (const each of program.commands ?? []) {
    if (each.hidden) continue;
    const listed = formatter.command(each.name).summary(each.summary).helpOption(false);
    for (const operand of each.args.split(/\s+/))
      if (operand !== "") listed.argument(commanderOperand(operand));
  }
  const more = `\nUse ${name} COMMAND --help for the options of a command.\n`;
  const end = program.helpEnd === undefined ? "" : `${program.helpEnd}\n`;
  return formatter.helpInformation() + (hasCommands ? more : "") + end;
}

function commandHelp(program: Program, table: SwitchTable, command: Command, name: string): string {
  const formatter = newFormatter(name, `${openingWords(program)} ${command.name} ${command.args}`);
  formatter.description(`${program.service}: ${command.summary}`);
  addOptions(formatter, table.ofCommand(command), "Options:");
  addOptions(formatter, table.common, "Common options:");
  const aliases = command.aliases ?? [];
  return formatter.helpInformation() + (aliases.length === 0 ? "" : `\nOther names: ${aliases.join(", ")}\n`);
}

/** The line that goes before the complaint of the option parser. */
export function usageLine(program: Program, name: string): string {
  return `Usage: ${name} ${usageWords(program)}`.trimEnd();
}

function usageWords(program: Program): string {
  return `${openingWords(program)} ${program.commands === undefined ? (program.args ?? "") : "COMMAND [args]"}`;
}

function openingWords({ hasConfigFile = true }: Program): string {
  return hasConfigFile ? "[options] INI" : "[options]";
}

function newFormatter(name: string, usage: string): Formatter {
  const formatter = new Formatter(name).usage(usage.trimEnd()).helpOption(false).helpCommand(false);
  return formatter.configureHelp({ showGlobalOptions: false });
}

function addOptions(formatter: Formatter, switches: readonly ParsedSwitch[], heading: string): void {
  for (const { definition, long, short, argument, isRepeatable } of switches) {
    const flags = `${short === undefined ? "" : `-${short}, `}--${long}${argument === undefined ? "" : ` <${argument}>`}`;
    const repeat = isRepeatable ? " (may be repeated)" : "";
    const standard = typeof definition.default === "string" ? ` (default: ${definition.default})` : "";
    formatter.addOption(new Option(flags, `${definition.doc}${repeat}${standard}`).helpGroup(heading));
  }
}

function commanderOperand(operand: string): string {
  return /^[[<]/.test(operand) ? operand.replace(/([\]>])\.\.\.$/, "...$1") : `<${operand}>`;
}
