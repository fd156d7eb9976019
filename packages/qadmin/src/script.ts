import { readFileSync } from "node:fs";
import { SkytoolsError, StatementScanner } from "@skytools/skytools";
import type { Console } from "./console.ts";
import { errorText } from "./output/error-text.ts";

export interface ScriptOptions {
  /** what complaints call it: a file name; undefined: nothing */
  readonly name: string | undefined;
  /** refusals are failures */
  readonly isStrict: boolean;
  readonly complain: (text: string) => void;
  /** what is told each command before it runs */
  readonly echo?: (statement: string) => void;
}

/** Runs commands that come as text; the first failure ends it. The last command may lack its semicolon.
 * @returns true when nothing failed
 * Source: spec/qadmin.md 1 (exit status) */
export async function runScript(
  console: Console,
  pieces: AsyncIterable<string> | Iterable<string>,
  { name, isStrict, complain, echo }: ScriptOptions,
): Promise<boolean> {
  const scanner = new StatementScanner({ joinsNames: true });
  const placeOf = (line: number) => (name === undefined ? undefined : `${name}:${line}`);
  for await (const piece of pieces) {
    for (const statement of scanner.add(piece)) {
      echo?.(statement.text);
      const outcome = await console.execute(statement, placeOf(statement.line));
      if (outcome === "failed" || (outcome === "refused" && isStrict)) return false;
      if (console.isLeaving) return true;
    }
  }
  const { open, rest } = scanner;
  if (open === undefined) return true;
  if (open !== "statement") {
    const error = new SkytoolsError("SYNTAX", `syntax error 1: a ${open} does not end`);
    complain(errorText(error, undefined, placeOf(rest.line)));
    return false;
  }
  echo?.(rest.text.trimEnd());
  const outcome = await console.execute(rest, placeOf(rest.line));
  return outcome === "done" || (outcome === "refused" && !isStrict);
}

/** @throws SkytoolsError FILE */
export function readScript(file: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(file));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SkytoolsError("FILE", `cannot read ${file}: ${reason}`, { cause });
  }
}

/** Whole lines, as they come. @throws SkytoolsError FILE for what is no UTF-8 */
export async function* linesOf(input: AsyncIterable<Buffer | string>): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const decoded = (bytes?: Buffer) => {
    try {
      return decoder.decode(bytes, { stream: bytes !== undefined });
    } catch (cause) {
      throw new SkytoolsError("FILE", "the input is not valid UTF-8", { cause });
    }
  };
  let begun = "";
  for await (const chunk of input) {
    begun += typeof chunk === "string" ? chunk : decoded(chunk);
    const end = begun.lastIndexOf("\n") + 1;
    if (end > 0) yield begun.slice(0, end);
    begun = begun.slice(end);
  }
  yield begun + decoded();
}
