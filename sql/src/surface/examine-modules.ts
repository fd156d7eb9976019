import type { Database } from "@skytools/skytools";
import { installedVersion } from "../installer.ts";
import { type ModuleEntry, type ModuleName, moduleCatalog } from "../module-catalog.ts";
import { compareVersions } from "../version-order.ts";
import { compareSurfaces, type Finding } from "./compare-surfaces.ts";
import { checkQueueObjects } from "./queue-objects.ts";
import { readSurface } from "./read-surface.ts";
import { shippedSurface } from "./shipped-surface.ts";

/** What one module of a database is like. */
export interface ModuleExamination {
  readonly module: ModuleName;
  /** dotted numbers, or `unknown` */
  readonly installed: string;
  readonly shipped: string;
  /** name of the extension that it is a part of */
  readonly extension: string | undefined;
  /** `older` and `newer` say what there is is another release, whose objects differ of course */
  readonly release: "current" | "older" | "newer";
  readonly findings: readonly Finding[];
}

/** Compares the modules that a database has with what this release ships. Reads only. Modules without a schema of their own
 * (txid, logtriga, dispatch, conflicthandler) are not looked at.
 * @throws DatabaseError */
export async function examineModules(db: Database): Promise<ModuleExamination[]> {
  const examinations: ModuleExamination[] = [];
  for (const entry of await moduleCatalog()) {
    const installed = await installedVersion(db, entry.name);
    if (installed === undefined) continue;
    examinations.push(await examine(db, entry, installed));
  }
  await db.rollback();
  return examinations;
}

async function examine(db: Database, entry: ModuleEntry, installed: string): Promise<ModuleExamination> {
  const { name, version } = entry;
  const schema = entry.schema!;
  const { extension, owner } = await db.queryOne<{ extension: string | null; owner: string }>(
    `select quote_ident(pg_get_userbyid(n.nspowner)) as owner,
            (select e.extname from pg_depend d join pg_extension e on e.oid = d.refobjid
              where d.classid = 'pg_namespace'::regclass and d.objid = n.oid and d.deptype = 'e'
                and d.refclassid = 'pg_extension'::regclass) as extension
       from pg_namespace n where n.nspname = $1`,
    [schema],
  );
  const order = installed === "unknown" ? -1 : compareVersions(installed, version);
  const surface = await readSurface(db, [schema]);
  const shipped = await shippedSurface(name);
  const present = [...surface.values()].flat();
  const findings = order > 0 ? [] : compareSurfaces(present, shipped, owner);
  if (name === "pgq") findings.push(...(await checkQueueObjects(db)));
  return {
    module: name,
    installed,
    shipped: version,
    extension: extension ?? undefined,
    release: order < 0 ? "older" : order > 0 ? "newer" : "current",
    findings,
  };
}
