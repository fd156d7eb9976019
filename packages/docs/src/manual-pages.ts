import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { convertPage } from "./convert-page.ts";
import type { GeneratedText } from "./generated-include.ts";
import type { InstalledProgram } from "./programs.ts";

/** Writes `man1/NAME.1` for every program, and a page that refers to it for every other name.
 * @param attributes date and version, the same for all pages
 * @throws Error when a program has no source page */
export async function writeManualPages(
  programs: readonly InstalledProgram[],
  generated: GeneratedText,
  target: string,
  attributes: Readonly<Record<string, string>>,
): Promise<void> {
  const folder = join(target, "man1");
  mkdirSync(folder, { recursive: true });
  for (const { name, aliases } of programs) {
    const source = manualSource(generated.root, name);
    const { text } = await convertPage(source, "manpage", generated, {
      ...attributes,
      doctype: "manpage",
      manmanual: "Skytools",
      reproducible: "",
    });
    writeFileSync(join(folder, `${name}.1`), text);
    for (const alias of aliases) writeFileSync(join(folder, `${alias}.1`), `.so man1/${name}.1\n`);
  }
}

/** The AsciiDoc source of a program's manual page.
 * @throws Error when there is none */
export function manualSource(root: string, name: string): string {
  const source = join(root, "doc", "man", `${name}.adoc`);
  if (!existsSync(source)) throw new Error(`program ${name} has no manual page: ${source} is missing`);
  return source;
}
