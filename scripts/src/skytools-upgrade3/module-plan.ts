import type { Database } from "@skytools/skytools";
import {
  compareVersions,
  installedVersion,
  type ModuleEntry,
  type ModuleName,
  moduleCatalog,
} from "@skytools/sql";
import { oldLondisteSteps } from "./old-londiste.ts";

/** What is to be done with one module of a database. */
export interface ModulePlan {
  readonly module: ModuleName;
  /** dotted numbers with the form: `3.5.2 (extension)`, `2.x`, `unknown` */
  readonly installed: string;
  readonly shipped: string;
  readonly decision: "upgrade" | "current" | "newer" | "too old" | "left";
  /** what the operator should know; may be empty */
  readonly note: string;
}

/** The oldest releases that the modules' files go over. */
const floors: Readonly<Partial<Record<ModuleName, string>>> = {
  pgq: "2.1.8",
  londiste: "3.0",
  pgq_ext: "2.1",
};

/** Looks at the modules that a database has; those that it does not have are none of our business.
 * @param isForced apply this very release again too */
export async function planUpgrade(db: Database, isForced: boolean): Promise<ModulePlan[]> {
  const plans: ModulePlan[] = [];
  for (const entry of await moduleCatalog()) {
    const version = await installedVersion(db, entry.name);
    if (version !== undefined) plans.push(await planModule(db, entry, version, isForced));
  }
  return plans;
}

async function planModule(
  db: Database,
  { name, version: shipped }: ModuleEntry,
  version: string,
  isForced: boolean,
): Promise<ModulePlan> {
  const generation = await oldGeneration(db, name);
  const isExtension = await db.queryValue<boolean>(
    "select exists (select from pg_extension where extname = $1)",
    [name],
  );
  const plain = version === "unknown" && generation === 2 ? "2.x" : version;
  const plan = { module: name, installed: isExtension ? `${plain} (extension)` : plain, shipped };
  if (name === "londiste" && generation === 2) {
    return { ...plan, installed: "2.x", decision: "left", note: await oldLondisteSteps(db) };
  }
  if (version === "unknown") return { ...plan, decision: "upgrade", note: "" };
  const floor = floors[name];
  if (floor !== undefined && compareVersions(version, floor) < 0) {
    const note = `module ${name} ${version} is too old, upgrade it to ${floor} first, with its own files`;
    return { ...plan, decision: "too old", note };
  }
  const order = compareVersions(version, shipped);
  if (order > 0) {
    const note = `module ${name} ${version} is newer than ${shipped}, use the newer Skytools`;
    return { ...plan, decision: "newer", note };
  }
  return { ...plan, decision: order < 0 || isForced ? "upgrade" : "current", note: "" };
}

/** 2 for tables as release 2.1 made them, 3 for anything later.
 * Source: spec/sql-pgq.md 10.4; spec/scripts.md 11.2 */
async function oldGeneration(db: Database, name: ModuleName): Promise<2 | 3> {
  const proof: Readonly<Partial<Record<ModuleName, string>>> = {
    pgq: `select exists (select from pg_attribute where attrelid = to_regclass('pgq.queue') and attname = 'queue_disable_insert')`,
    londiste: "select to_regclass('londiste.table_info') is not null",
  };
  const query = proof[name];
  return query === undefined || (await db.queryValue<boolean>(query)) === true ? 3 : 2;
}
