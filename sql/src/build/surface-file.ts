import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { SurfaceObject } from "../surface/surface-object.ts";
import type { ExecuteGrant } from "./execute-grants.ts";
import { functionObjects } from "./function-objects.ts";
import type { ModuleFolder } from "./module-folder.ts";

/** The surface that a module ships: the functions in its SQL text, and what stands in its structure/surface.json.
 * @param sql the module's built file
 * @returns undefined for a module without such a file */
export function surfaceFile(
  module: ModuleFolder,
  sql: string,
  grants: readonly ExecuteGrant[],
): string | undefined {
  const path = join(module.directory, "structure", "surface.json");
  if (!existsSync(path)) return undefined;
  const objects = JSON.parse(readFileSync(path, "utf8")) as SurfaceObject[];
  return surfaceText([...objects, ...functionObjects(sql, grants)]);
}

/** A line for each object, so that a change is a change of few lines. */
export function surfaceText(objects: readonly SurfaceObject[]): string {
  return `[\n${objects.map((object) => `  ${JSON.stringify(object)}`).join(",\n")}\n]\n`;
}
