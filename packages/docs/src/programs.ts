import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { ProgramDescription } from "@skytools/skytools";

/** A program that the packages install. */
export interface InstalledProgram {
  readonly name: string;
  /** other names it is installed under */
  readonly aliases: readonly string[];
  /** its start file */
  readonly file: string;
}

interface Manifest {
  readonly bin?: Readonly<Record<string, string>>;
}

/** All programs of the workspaces, by name.
 * @param root the project's folder */
export function installedPrograms(root: string): InstalledProgram[] {
  const folders = [
    ...readdirSync(join(root, "packages"), { withFileTypes: true })
      .filter((each) => each.isDirectory())
      .map((each) => join(root, "packages", each.name)),
    join(root, "scripts"),
    join(root, "sql"),
  ];
  return folders.flatMap(programsOf).sort((a, b) => (a.name < b.name ? -1 : 1));
}

function programsOf(folder: string): InstalledProgram[] {
  const { bin = {} } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
  return [...new Set(Object.values(bin))].map((path) => {
    const names = Object.keys(bin).filter((name) => bin[name] === path);
    const name = names.find((each) => path.endsWith(`/${each}.js`)) ?? names[0]!;
    return { name, aliases: names.filter((each) => each !== name), file: join(folder, path) };
  });
}

/** What the program says of itself. */
export async function describeInstalled(program: InstalledProgram): Promise<ProgramDescription> {
  const { stdout } = await promisify(execFile)(process.execPath, [program.file, "--help", "--json"], {
    maxBuffer: 1 << 24,
  });
  return JSON.parse(stdout) as ProgramDescription;
}
