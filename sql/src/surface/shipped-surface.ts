import { readFile } from "node:fs/promises";
import type { ModuleName } from "../module-catalog.ts";
import type { SurfaceObject } from "./surface-object.ts";

/** What a module that has a schema of its own brings, as the build wrote it: structure/surface.json of the module and the
 * functions of its SQL text.
 * @throws the system's error for a module without schema */
export async function shippedSurface(name: ModuleName): Promise<readonly SurfaceObject[]> {
  const file = new URL(`../${name}.surface.json`, import.meta.url);
  return JSON.parse(await readFile(file, "utf8")) as SurfaceObject[];
}
