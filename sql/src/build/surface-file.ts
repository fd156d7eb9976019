import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { SurfaceObject } from "../surface/surface-object.ts";
import type { ModuleFolder } from "./module-folder.ts";

/** The surface that a module ships: what stands in its structure/surface.json, and the digests of the functions' bodies in its
 * SQL text. Of a function with several overloads each has the digests of all: `body` is then a list with commas.
 * @param sql the module's built file
 * @returns undefined for a module without such a file */
export function surfaceFile(module: ModuleFolder, sql: string): string | undefined {
  const path = join(module.directory, "structure", "surface.json");
  if (!existsSync(path)) return undefined;
  const bodies = functionBodies(sql);
  const objects = JSON.parse(readFileSync(path, "utf8")) as SurfaceObject[];
  return surfaceText(
    objects.map((object) => {
      if (object.kind !== "function") return object;
      const name = object.name.slice(0, object.name.indexOf("("));
      const body = bodies.get(name)?.join(",");
      return body === undefined ? object : { ...object, attributes: { ...object.attributes, body } };
    }),
  );
}

/** A line for each object, so that a change is a change of few lines. */
export function surfaceText(objects: readonly SurfaceObject[]): string {
  return `[\n${objects.map((object) => `  ${JSON.stringify(object)}`).join(",\n")}\n]\n`;
}

const header = /create (?:or replace )?(?:function|procedure)\s+(\w+\.\w+)\s*\(/gi;

/** Digests of the bodies as the server keeps them, by function name. */
function functionBodies(sql: string): Map<string, string[]> {
  const bodies = new Map<string, string[]>();
  for (const { 1: name, index } of sql.matchAll(header)) {
    const open = /\sas\s+(\$\w*\$)/gi;
    open.lastIndex = index;
    const tag = open.exec(sql)?.[1];
    if (name === undefined || tag === undefined) continue;
    const body = sql.slice(open.lastIndex, sql.indexOf(tag, open.lastIndex));
    const digest = createHash("md5").update(withoutGenerated(body)).digest("hex");
    bodies.set(name, [...(bodies.get(name) ?? []), digest]);
  }
  return bodies;
}

/** As the surface query leaves out what pgq generates. */
function withoutGenerated(body: string): string {
  const start = body.indexOf("-- static inserts\n");
  const end = body.indexOf("-- end of static inserts\n");
  return start < 0 || end < 0 ? body : body.slice(0, start) + body.slice(end);
}
