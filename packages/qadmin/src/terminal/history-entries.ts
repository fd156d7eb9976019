import { sqlTokens } from "@skytools/skytools";

/** What history keeps of a command: one line, without the comments of the others; lines as they are where a quoted text has line
 * breaks.
 * @param lines as typed */
export function historyEntries(lines: readonly string[]): string[] {
  const typed = lines.filter((line) => line.trim() !== "");
  if (typed.length <= 1) return typed.map((line) => line.trim());
  const tokens = [...sqlTokens(typed.join("\n"), { joinsNames: true })];
  const joined = tokens
    .map(({ kind, text }) => (kind === "space" ? " " : text))
    .join("")
    .replace(/^ | $/g, "");
  return joined.includes("\n") ? typed : [joined];
}
