// Writes <module>.sql, .upgrade.sql, .uninstall.sql and .surface.json, and modules.json from the module folders, into dist or a given directory.
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readSql } from "./include-list.ts";
import { executeGrants, moduleFile, uninstallFile } from "./module-file.ts";
import { readModuleFolders } from "./module-folder.ts";
import { surfaceFile } from "./surface-file.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const dist = process.argv[2] ?? join(root, "dist");
const modules = readModuleFolders(root);

for (const module of modules) {
  const sql = moduleFile(module, modules);
  writeFileSync(join(dist, `${module.name}.sql`), sql);
  if (module.schema !== undefined) {
    writeFileSync(join(dist, `${module.name}.upgrade.sql`), moduleFile(module, modules, "upgrade"));
  }
  const surface = surfaceFile(module, sql, executeGrants(module));
  if (surface !== undefined) writeFileSync(join(dist, `${module.name}.surface.json`), surface);
  const uninstall = join(module.directory, "structure", "uninstall.sql");
  if (existsSync(uninstall)) {
    writeFileSync(join(dist, `${module.name}.uninstall.sql`), uninstallFile(module, readSql(uninstall)));
  }
}
const catalog = modules.map(({ name, schema, version, requires }) => ({ name, schema, version, requires }));
writeFileSync(join(dist, "modules.json"), `${JSON.stringify(catalog, undefined, 2)}\n`);
