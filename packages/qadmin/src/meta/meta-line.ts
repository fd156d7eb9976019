import { nearestName, UsageError } from "@skytools/skytools";
import type { MetaCommand } from "./meta-command.ts";
import { metaCommands } from "./meta-table.ts";

export interface MetaCall {
  readonly command: MetaCommand;
  readonly args: readonly string[];
}

/** Reads `\name argument ...`; arguments in single quotes may hold blanks, a semicolon at the end means nothing.
 * @throws UsageError when there is no such command */
export function parseMetaLine(line: string): MetaCall {
  const [, name, typed] = /^\s*\\(\?|\w*)(.*)$/s.exec(line) as unknown as [string, string, string];
  const rest = typed.trim().replace(/;$/, "");
  const command = metaCommands.find((each) => each.name === name);
  if (command === undefined) {
    const nearest = nearestName(
      name,
      metaCommands.map((each) => each.name),
    );
    const guess = nearest === undefined ? "" : ` Perhaps \\${nearest} is meant.`;
    throw new UsageError(`there is no command \\${name}`, { hint: `\\? lists them.${guess}` });
  }
  const args = [...rest.matchAll(/'((?:[^']|'')*)'|\S+/g)].map(([whole, quoted]) =>
    quoted === undefined ? whole : quoted.replaceAll("''", "'"),
  );
  return { command, args };
}
