import { readFileSync } from "node:fs";

/** The commands of a page: its blocks `[source,sh]`, one after the other, as one shell script that ends at the first failure.
 * @throws Error when the page has none */
export function pageScript(file: string): string {
  const text = readFileSync(file, "utf8");
  const blocks = [...text.matchAll(/^\[source,sh\]\n----\n([\s\S]*?)^----$/gm)].map(([, block]) => block!);
  if (blocks.length === 0) throw new Error(`${file} has no commands`);
  return `set -euo pipefail\nset -x\n${blocks.join("\n")}`;
}

/** Whether a page has commands to run; those of `[source,console]` only show what one would type elsewhere. */
export function hasCommands(file: string): boolean {
  return readFileSync(file, "utf8").includes("\n[source,sh]\n");
}
