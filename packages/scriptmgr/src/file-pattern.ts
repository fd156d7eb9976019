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

/** for one part of a path: no name is that long */
const longestPattern = 4000;

function matches(base: string, [part, ...rest]: readonly string[]): string[] {
  if (part === undefined) return [base];
  const into = (name: string) =>
    matches(base === "" || base.endsWith("/") ? base + name : `${base}/${name}`, rest);
  if (!/[*?[]/.test(part)) return into(part);
  if (part.length > longestPattern) return [];
  const isMatch = wildcard(part);
  return entriesOf(base)
    .filter((name) => isMatch(name) && (part.startsWith(".") || !name.startsWith(".")))
    .flatMap(into);
}

function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory === "" ? "." : directory);
  } catch {
    return [];
  }
}

/** Between stars a pattern has a fixed length: each piece is looked for behind the one before, so that no pattern takes long. */
function wildcard(part: string): (name: string) => boolean {
  const pieces = part.match(/\[!?[^\]]+\]|\*+|./gsu) ?? [];
  const sources = [""];
  for (const piece of pieces) {
    if (piece.startsWith("*")) sources.push("");
    else sources.push(`${sources.pop()}${sourceOf(piece)}`);
  }
  const last = sources.pop()!;
  const inFront = sources.map((source, nr) => new RegExp(source, nr === 0 ? "suy" : "sug"));
  const atEnd = new RegExp(`${inFront.length === 0 ? "^" : ""}${last}$`, "sug");
  return (name) => {
    let at = 0;
    return [...inFront, atEnd].every((pattern) => {
      pattern.lastIndex = at;
      const isFound = pattern.test(name);
      at = pattern.lastIndex;
      return isFound;
    });
  };
}

function sourceOf(piece: string): string {
  if (piece === "?") return ".";
  if (/^\[./su.test(piece)) return characters(piece);
  return piece.replace(/[\\^$.|+(){}[\]]/, "\\$&");
}

/** `[a-c]` or `[!a-c]`; a range that ends before its beginning has nothing in it, as in a shell. */
function characters(piece: string): string {
  const isNot = piece.startsWith("[!");
  const code = (char: string) => char.codePointAt(0)!;
  const ranges = [...piece.slice(isNot ? 2 : 1, -1).matchAll(/(.)-(.)|./gsu)].map(
    ([item, first = item, last = item]) =>
      code(first) > code(last) ? "" : `\\u{${code(first).toString(16)}}-\\u{${code(last).toString(16)}}`,
  );
  return `[${isNot ? "^" : ""}${ranges.join("")}]`;
}
