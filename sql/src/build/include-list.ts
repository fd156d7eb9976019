import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** One SQL file of a module. */
export interface SqlFile {
  /** from the module's folder, with slashes: `function/pgq.ticker.sql` */
  readonly path: string;
  readonly text: string;
}

/** Reads the files that structure/install.sql names, in its order. `\i folder/` stands for the folder's .sql files that
 * no other line names.
 * @throws Error for any other statement in the list, and for a file named twice */
export function expandIncludeList(moduleDirectory: string): SqlFile[] {
  const list = readFileSync(join(moduleDirectory, "structure", "install.sql"), "utf8");
  const named = includedPaths(list, moduleDirectory);
  const single = named.filter((path) => !path.endsWith("/"));
  const repeated = single.find((path, at) => single.indexOf(path) !== at);
  if (repeated !== undefined) throw new Error(`${moduleDirectory}: install.sql names ${repeated} twice`);
  return named
    .flatMap((path) => (path.endsWith("/") ? folderFiles(moduleDirectory, path, single) : [path]))
    .map((path) => ({ path, text: readSql(join(moduleDirectory, path)) }));
}

function includedPaths(list: string, moduleDirectory: string): string[] {
  const paths: string[] = [];
  for (const [at, line] of list.split("\n").entries()) {
    const statement = line.replace(/--.*$/, "").trim();
    if (statement === "") continue;
    const path = /^\\i\s+(\S+)$/.exec(statement)?.[1];
    if (path === undefined) {
      throw new Error(`${moduleDirectory}/structure/install.sql:${at + 1}: expected "\\i PATH"`);
    }
    paths.push(path);
  }
  return paths;
}

function folderFiles(moduleDirectory: string, folder: string, named: readonly string[]): string[] {
  return readdirSync(join(moduleDirectory, folder))
    .filter((name) => name.endsWith(".sql"))
    .map((name) => `${folder}${name}`)
    .filter((path) => !named.includes(path))
    .sort((a, b) => (a < b ? -1 : 1));
}

/** Text with one line break at its end, so that files can be joined. */
export function readSql(file: string): string {
  return `${readFileSync(file, "utf8").trim()}\n`;
}
