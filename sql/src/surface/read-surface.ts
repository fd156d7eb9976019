import type { Database } from "@skytools/skytools";
import type { SurfaceObject } from "./surface-object.ts";
import { surfaceQuery } from "./surface-query.ts";

/** The objects of one schema, or the roles of the cluster under "". */
export type Surface = ReadonlyMap<string, readonly SurfaceObject[]>;

/** Reads what a database has in some schemas. Ends the transaction; writes nothing.
 * @throws DatabaseError */
export async function readSurface(db: Database, schemas: readonly string[]): Promise<Surface> {
  await db.rollback();
  try {
    await db.execute(db.autocommit ? "begin read only" : "set transaction read only");
    await db.execute("set local search_path = pg_catalog");
    const rows = await db.query<{
      kind: SurfaceObject["kind"];
      name: string;
      attributes: string;
      nspname: string | null;
    }>(surfaceQuery, [schemas]);
    const surface = new Map<string, SurfaceObject[]>(["", ...schemas].map((schema) => [schema, []]));
    for (const { kind, name, attributes, nspname } of rows) {
      const parsed = JSON.parse(attributes) as Record<string, string>;
      surface.get(nspname ?? "")!.push({ kind, name, attributes: parsed });
    }
    return surface;
  } finally {
    await db.rollback();
  }
}
