import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cell, plain } from "./adoc.ts";
import { commentText, tellsErrors } from "./function-comment.ts";
import { moduleFunctions, type SqlFunction } from "./sql-functions.ts";

interface Module {
  readonly name: string;
  readonly version: string;
  readonly requires: readonly string[];
}

/** The modules in the order in which they are installed. */
export function sqlModules(root: string): Module[] {
  return JSON.parse(readFileSync(join(root, "sql", "dist", "modules.json"), "utf8")) as Module[];
}

/** The functions of a module, in AsciiDoc: signature, comment, result, grant. */
export function functionReference(root: string, module: string): string {
  const functions = moduleFunctions(join(root, "sql"), module);
  const names = [...new Set(functions.map(({ schema, name }) => `${schema}.${name}`))];
  return names
    .map((each) =>
      functionSection(
        each,
        functions.filter(({ schema, name }) => each === `${schema}.${name}`),
      ),
    )
    .join("\n");
}

function functionSection(name: string, overloads: readonly SqlFunction[]): string {
  const anchor = name.replace(".", "-");
  return `[#${anchor}]\n=== ${plain(name)}\n\n${overloads.map(overloadText).join("\n")}`;
}

function overloadText(each: SqlFunction): string {
  const { comment, execute } = each;
  const who = execute === "none" ? "only its owner" : execute;
  const errors = comment.length === 0 || tellsErrors(comment) ? "" : "\n_Errors:_ none of its own.\n";
  return `[source,sql]\n----\n${signature(each)}\n----\n\n${commentText(comment)}${errors}\n_Execute:_ ${plain(who)}\n`;
}

/** On one line where it fits a page, otherwise a parameter a line. */
function signature({ schema, name, parameters, result }: SqlFunction): string {
  const line = `${schema}.${name}(${parameters}) returns ${result}`;
  if (line.length <= 84) return line;
  const broken = (list: string) => splitList(list).join(",\n    ");
  const [, columns] = /^table *\((.*)\)$/i.exec(result) ?? [];
  const returned = columns === undefined ? result : `table (\n    ${broken(columns)})`;
  return `${schema}.${name}(\n    ${broken(parameters)})\nreturns ${returned}`;
}

/** Splits at commas that are not inside parentheses or quotes. */
function splitList(list: string): string[] {
  return (list.match(/(?:\([^)]*\)|'[^']*'|[^,('])+/g) ?? []).map((each) => each.trim());
}

/** One table of all modules. */
export function moduleTable(root: string): string {
  const rows = sqlModules(root).map(
    ({ name, version, requires }) =>
      `|xref:sql-${name}.adoc[${name}] |${cell(version)} |${cell(requires.join(", "))} `,
  );
  return `[cols="2,1,2"]\n|===\n|module |version |needs\n\n${rows.join("\n")}\n|===\n`;
}
