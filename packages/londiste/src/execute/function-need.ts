import { SkytoolsError } from "@skytools/skytools";

/** A function that a script needs. */
export interface FunctionNeed {
  /** as written */
  readonly name: string;
  readonly argumentCount: number;
}

/** Reads `name(number of arguments)`; without parentheses it has none.
 * @throws SkytoolsError SCRIPT for anything else: nobody would have such a function, and the script run nowhere
 * Source: spec/londiste.md 11.1 */
export function parseFunctionNeed(text: string): FunctionNeed {
  const match = /^([^()]+)(?:\(\s*(\d{0,4})\s*\))?$/.exec(text.trim());
  const name = match?.[1]?.trim() ?? "";
  if (match === null || name === "") {
    throw new SkytoolsError(
      "SCRIPT",
      `Need-Function: "${text}" is not of the form name(number of arguments)`,
    );
  }
  return { name, argumentCount: Number(match[2] ?? 0) };
}
