import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** What a module's module.json says. */
export interface ModuleFolder {
  readonly name: string;
  /** absolute path of sql/<name> */
  readonly directory: string;
  /** schema that holds the module's version function */
  readonly schema: string | undefined;
  /** dotted numbers */
  readonly version: string;
  readonly requires: readonly string[];
}

/** Every module below a folder, required modules first, otherwise by name.
 * @throws Error where a module.json is wrong or modules require each other in a circle */
export function readModuleFolders(root: string): ModuleFolder[] {
  const folders = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(root, entry.name, "structure", "install.sql")))
    .map((entry) => readModuleFolder(join(root, entry.name), entry.name))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return inDependencyOrder(folders);
}

function readModuleFolder(directory: string, name: string): ModuleFolder {
  const file = join(directory, "module.json");
  const manifest: unknown = JSON.parse(readFileSync(file, "utf8"));
  if (typeof manifest !== "object" || manifest === null) throw new Error(`${file}: not an object`);
  const { schema, version, requires } = manifest as Record<string, unknown>;
  if (typeof version !== "string" || !/^\d+(\.\d+)*$/.test(version)) {
    throw new Error(`${file}: version must be dotted numbers`);
  }
  if (schema !== undefined && typeof schema !== "string") throw new Error(`${file}: schema must be a string`);
  if (!Array.isArray(requires) || !requires.every((item) => typeof item === "string")) {
    throw new Error(`${file}: requires must be a list of module names`);
  }
  return { name, directory, schema, version, requires };
}

function inDependencyOrder(folders: readonly ModuleFolder[]): ModuleFolder[] {
  const ordered: ModuleFolder[] = [];
  const waiting = [...folders];
  while (waiting.length > 0) {
    const next = waiting.findIndex((folder) =>
      folder.requires.every((name) => ordered.some((done) => done.name === name)),
    );
    if (next < 0) {
      throw new Error(`modules with missing or circular requires: ${waiting.map((f) => f.name).join(", ")}`);
    }
    ordered.push(...waiting.splice(next, 1));
  }
  return ordered;
}
