import { readFileSync } from "node:fs";

/** The commands of a page: its blocks `[source,sh]`, one after the other, as one shell script that ends at the first failure. Those
 * within a comment are for what the reader has already. A page may name a database for the statements of its text: all but those
 * with a placeholder are run after its first block.
 * @throws Error when the page has none */
export function pageScript(file: string): string {
  const text = readFileSync(file, "utf8");
  const blocks = [...text.matchAll(/^\[source,sh\]\n----\n([\s\S]*?)^----$/gm)].map(([, block]) => block!);
  if (blocks.length === 0) throw new Error(`${file} has no commands`);
  return ["set -euo pipefail", "set -x", blocks[0], ...statements(text), ...blocks.slice(1)].join("\n");
}

function statements(text: string): string[] {
  const database = /`select` statements of this page are run in: (\w+)$/m.exec(text)?.[1];
  if (database === undefined) return [];
  return [...text.matchAll(/`(select [^`]+)`/g)]
    .map(([, statement]) => statement!)
    .filter((statement) => !/\b[A-Z]{3,}\b/.test(statement))
    .map((statement) => `psql -q -v ON_ERROR_STOP=1 -d ${database} <<'END'\n${statement};\nEND`);
}

/** Whether a page has commands to run; those of `[source,console]` only show what one would type elsewhere. */
export function hasCommands(file: string): boolean {
  return readFileSync(file, "utf8").includes("\n[source,sh]\n");
}
