import { Extensions } from "@asciidoctor/core";
import type { ProgramDescription } from "@skytools/skytools";
import { configReference, openKeys } from "./config-reference.ts";
import { programFragments } from "./program-fragments.ts";
import { functionReference, moduleTable } from "./sql-reference.ts";

/** What `include::generated:...[]` may name. */
export interface GeneratedText {
  readonly root: string;
  /** by the name of their manual page */
  readonly programs: ReadonlyMap<string, ProgramDescription>;
}

/** Text for `PROGRAM/FRAGMENT`, `sql/MODULE`, `sql-modules`, `config` or `config-families`.
 * @throws Error for anything else */
function generatedText({ root, programs }: GeneratedText, target: string): string {
  if (target === "sql-modules") return moduleTable(root);
  if (target === "config") return configReference(programs);
  if (target === "config-families") return openKeys(programs);
  const [first = "", second = ""] = target.split("/");
  if (first === "sql") return functionReference(root, second);
  const program = programs.get(first);
  const fragment = programFragments[second];
  if (program === undefined || fragment === undefined) throw new Error(`no generated text "${target}"`);
  return fragment(first, program);
}

/** Lets pages include what follows from programs and SQL files: `include::generated:londiste3/commands[]`. */
export function generatedIncludes(source: GeneratedText) {
  const registry = Extensions.create();
  registry.includeProcessor(function () {
    this.handles((target: string) => target.startsWith("generated:"));
    this.process((_document, reader, target: string, attributes) => {
      const text = generatedText(source, target.slice("generated:".length));
      reader.pushInclude(text, target, target, 1, attributes);
    });
  });
  return registry;
}
