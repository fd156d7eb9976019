import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cell, plain } from "./adoc.ts";
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

function overloadText({ schema, name, parameters, result, comment, execute }: SqlFunction): string {
  const signature = `${schema}.${name}(${parameters}) returns ${result}`;
  const text = comment.map((paragraph) => `${lines(paragraph)}\n`).join("\n");
  const who = execute === "none" ? "only its owner" : execute;
  return `[source,sql]\n----\n${signature}\n----\n\n${text}\n_Execute:_ ${plain(who)}\n`;
}

/** A comment keeps its lines where they end a sentence or begin a list. */
function lines(paragraph: string): string {
  return paragraph
    .split("\n")
    .map((line) => plain(line.trim()))
    .join(" +\n");
}

/** One table of all modules. */
export function moduleTable(root: string): string {
  const rows = sqlModules(root).map(
    ({ name, version, requires }) =>
      `|xref:sql-${name}.adoc[${name}] |${cell(version)} |${cell(requires.join(", "))} `,
  );
  return `[cols="2,1,2"]\n|===\n|module |version |needs\n\n${rows.join("\n")}\n|===\n`;
}
