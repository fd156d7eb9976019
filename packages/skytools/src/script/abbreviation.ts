import { UsageError } from "../errors.ts";
import type { ParsedSwitch } from "./switch-table.ts";

/** The operands of a command line: what is neither a switch nor its argument.
 * @param switches all that may occur; long names may be abbreviated */
export function operandsOf(argv: readonly string[], switches: readonly ParsedSwitch[]): string[] {
  const operands: string[] = [];
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]!;
    if (word === "--") return [...operands, ...argv.slice(at + 1)];
    if (!word.startsWith("-") || word === "-") operands.push(word);
    else if (takesNextWord(word, switches)) at++;
  }
  return operands;
}

/** Writes abbreviated long names in full.
 * @param switches all that may occur
 * @param preferred those of the command at hand, which decide when an abbreviation fits several
 * @throws UsageError, exit code 2, for an abbreviation that fits several */
export function expandAbbreviations(
  argv: readonly string[],
  switches: readonly ParsedSwitch[],
  preferred: readonly ParsedSwitch[],
): string[] {
  const expanded: string[] = [];
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]!;
    if (word === "--") return [...expanded, ...argv.slice(at)];
    const full = word.startsWith("--") ? inFull(word, switches, preferred) : word;
    expanded.push(full);
    if (takesNextWord(full, switches) && at + 1 < argv.length) expanded.push(argv[++at]!);
  }
  return expanded;
}

function inFull(word: string, switches: readonly ParsedSwitch[], preferred: readonly ParsedSwitch[]): string {
  const { name, rest } = splitLong(word);
  if (switches.some((each) => each.long === name)) return word;
  const fitting = fittingLong(name, preferred);
  const candidates = fitting.length > 0 ? fitting : fittingLong(name, switches);
  if (candidates.length > 1) {
    const names = candidates.map((each) => `--${each.long}`).join(", ");
    throw new UsageError(`ambiguous option: --${name} (${names}?)`, { exitCode: 2 });
  }
  return candidates[0] === undefined ? word : `--${candidates[0].long}${rest}`;
}

function takesNextWord(word: string, switches: readonly ParsedSwitch[]): boolean {
  if (word.startsWith("--")) {
    const { name, rest } = splitLong(word);
    const fitting = fittingLong(name, switches);
    return rest === "" && fitting.length > 0 && fitting.every((each) => each.argument !== undefined);
  }
  if (!word.startsWith("-") || word === "-") return false;
  const letters = word.slice(1).split("");
  const withArgument = (letter: string) =>
    switches.some((each) => each.short === letter && each.argument !== undefined);
  return letters.findIndex(withArgument) === letters.length - 1;
}

function splitLong(word: string): { name: string; rest: string } {
  const equals = word.indexOf("=");
  return equals < 0
    ? { name: word.slice(2), rest: "" }
    : { name: word.slice(2, equals), rest: word.slice(equals) };
}

function fittingLong(name: string, switches: readonly ParsedSwitch[]): ParsedSwitch[] {
  const exact = switches.filter((each) => each.long === name);
  return exact.length > 0 || name === "" ? exact : switches.filter((each) => each.long.startsWith(name));
}
