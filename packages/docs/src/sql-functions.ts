import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A server function as its source file declares it. */
export interface SqlFunction {
  readonly schema: string;
  readonly name: string;
  /** with names and types, on one line */
  readonly parameters: string;
  /** what stands after `returns`; a record of the OUT parameters where nothing does */
  readonly result: string;
  /** the comment above it: paragraphs */
  readonly comment: readonly string[];
  /** roles, "public", or "none" */
  readonly execute: string;
  /** whether its code raises exceptions */
  readonly raises: boolean;
  /** below the project's folder */
  readonly file: string;
}

/** The functions of one module, by name; helpers whose name begins with an underscore are left out.
 * @param sqlFolder the folder of all modules */
export function moduleFunctions(sqlFolder: string, module: string): SqlFunction[] {
  const files = readdirSync(join(sqlFolder, module), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".sql") && !file.startsWith("structure"))
    .sort();
  return files
    .flatMap((file) =>
      functionsOf(readFileSync(join(sqlFolder, module, file), "utf8"), `sql/${module}/${file}`),
    )
    .filter(({ name }) => !name.startsWith("_"));
}

const declaration =
  /^create (?:or replace )?function +(\w+)\.(\w+) *\(([\s\S]*?)\)\s*(?:returns +([\s\S]*?)\s*)?\b(?:language\b|as\s+\$)/gim;

function functionsOf(text: string, file: string): SqlFunction[] {
  const functions: SqlFunction[] = [];
  let execute = "none";
  let from = 0;
  for (const match of text.matchAll(declaration)) {
    const [whole, schema, name, parameters, result] = match;
    const lines = commentAbove(text.slice(from, match.index));
    const grant = lines.find((line) => line.startsWith("Execute:"));
    if (grant !== undefined) execute = grant.slice("Execute:".length).trim();
    functions.push({
      schema: schema!,
      name: name!,
      parameters: oneLine(parameters!),
      result: oneLine(result ?? "record"),
      comment: paragraphs(lines.filter((line) => !line.startsWith("Execute:"))),
      execute,
      raises: /\braise exception\b/i.test(bodyAfter(text, match.index + whole.length - 1)),
      file,
    });
    from = match.index + whole.length;
  }
  return functions;
}

/** The function's text between its dollar quotes. */
function bodyAfter(text: string, from: number): string {
  const quote = /\$\w*\$/.exec(text.slice(from))?.[0];
  if (quote === undefined) return "";
  const start = text.indexOf(quote, from) + quote.length;
  return text.slice(start, text.indexOf(quote, start));
}

/** The lines of the block of comments that ends a text, without their dashes. */
function commentAbove(text: string): string[] {
  const lines = text.trimEnd().split("\n");
  const last = lines.findLastIndex((line) => !line.startsWith("--"));
  return lines.slice(last + 1).map((line) => line.replace(/^-- ?/, ""));
}

function paragraphs(lines: readonly string[]): string[] {
  return lines
    .join("\n")
    .split(/\n\s*\n/)
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

function oneLine(text: string): string {
  return text
    .replace(/--[^\n]*/g, "")
    .replace(/\s+/g, " ")
    .trim();
}
