import { readdirSync, statSync } from "node:fs";
import { expandHome } from "@skytools/skytools";

/** The files that a pattern names, sorted. `*`, `?` and `[...]` match within one part of a path, never a leading dot; `~` and
 * `$NAME` are expanded first. */
export function filesOfPattern(pattern: string, env: NodeJS.ProcessEnv): string[] {
  const expanded = expandHome(pattern).replace(
    /\$(?:(\w+)|\{(\w+)\})/g,
    (whole, plain?: string, braced?: string) => env[plain ?? braced ?? ""] ?? whole,
  );
  const parts = expanded.split("/").filter((part) => part !== "");
  const found = matches(expanded.startsWith("/") ? "/" : "", parts);
  return found.filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true).sort();
}

function matches(base: string, [part, ...rest]: readonly string[]): string[] {
  if (part === undefined) return [base];
  const into = (name: string) =>
    matches(base === "" || base.endsWith("/") ? base + name : `${base}/${name}`, rest);
  if (!/[*?[]/.test(part)) return into(part);
  const pattern = wildcard(part);
  return entriesOf(base)
    .filter((name) => pattern.test(name) && (part.startsWith(".") || !name.startsWith(".")))
    .flatMap(into);
}

function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory === "" ? "." : directory);
  } catch {
    return [];
  }
}

function wildcard(part: string): RegExp {
  const source = part.replace(/\[!?[^\]]+\]|./gs, (piece) => {
    if (piece === "*") return ".*";
    if (piece === "?") return ".";
    if (piece.length > 1) return piece.replace(/^\[!/, "[^").replaceAll("\\", "\\\\");
    return piece.replace(/[\\^$.|+(){}[\]]/, "\\$&");
  });
  return new RegExp(`^${source}$`, "s");
}
