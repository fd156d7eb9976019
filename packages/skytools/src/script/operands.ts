import { nearestName } from "../config/nearest-name.ts";
import { UsageError } from "../errors.ts";
import type { Command, Program } from "./program.ts";

/** The operands that a command takes. */
export interface OperandCount {
  readonly names: readonly string[];
  readonly least: number;
  /** Infinity when the last one may be repeated */
  readonly most: number;
}

/** Reads a usage such as `NAME [CONNSTR]` or `TABLE...`. */
function parseOperands(usage: string): OperandCount {
  const names = usage.split(/\s+/).filter((word) => word !== "");
  const required = names.filter((name) => !name.startsWith("["));
  const isOpen = names.some((name) => name.includes("..."));
  return { names, least: required.length, most: isOpen ? Number.POSITIVE_INFINITY : names.length };
}

/** @throws UsageError when the number of operands does not fit */
export function checkOperands(title: string, usage: string, operands: readonly string[]): void {
  const { names, least, most } = parseOperands(usage);
  if (operands.length >= least && operands.length <= most) return;
  const expected =
    most === least ? `${least}` : most === Infinity ? `at least ${least}` : `${least} to ${most}`;
  const list = names.length === 0 ? "" : `: ${names.join(" ")}`;
  throw new UsageError(`${title} got ${operands.length} args, but expects ${expected}${list}`);
}

/** The command of a name; `_` and `-` are the same. */
export function findCommand(program: Program, name: string): Command | undefined {
  const wanted = name.replaceAll("_", "-");
  return program.commands?.find((command) => command.name === wanted || command.aliases?.includes(wanted));
}

/** Names of listed commands that a mistyped one may mean. */
export function similarCommand(program: Program, name: string): string | undefined {
  const listed = (program.commands ?? []).filter((command) => !command.hidden);
  return nearestName(
    name.replaceAll("_", "-"),
    listed.map((command) => command.name),
  );
}
