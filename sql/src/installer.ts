import { type Database, DatabaseError, type Log, SkytoolsError } from "@skytools/skytools";
import { type ModuleEntry, type ModuleName, moduleCatalog, moduleSql } from "./module-catalog.ts";
import { compareVersions } from "./version-order.ts";

const maxAttempts = 5;

/** Installs modules and those that they require, or brings them up to date, in one transaction. Safe to repeat; of
 * several at once in one database each waits for the one before.
 * @throws SkytoolsError MODULE_NEWER when the database has a newer version than this package, MODULE_UNKNOWN for a module
 * that was not built; DatabaseError
 * Source: README.md of this package */
export async function installModules(db: Database, modules: readonly ModuleName[], log?: Log): Promise<void> {
  const wanted = withRequired(modules, await moduleCatalog());
  for (let attempt = 1; ; attempt += 1) {
    try {
      await db.transaction(() => installAll(db, wanted, log));
      return;
    } catch (error) {
      // A database in use: what changes tables may meet programs that have locked them in another order.
      if (!isDeadlock(error) || attempt === maxAttempts) throw error;
      log?.warn(`installation in ${db.label} met a deadlock and was undone, trying again`);
    }
  }
}

async function installAll(db: Database, wanted: readonly ModuleEntry[], log?: Log): Promise<void> {
  // What one module says about another that is missing is not news here: they come in the right order.
  await db.execute("set local client_min_messages = warning");
  // Asked before anything changes: modules of an extension lose their version together.
  const versions = new Map<ModuleName, string | undefined>();
  for (const { name } of wanted) versions.set(name, await installedVersion(db, name));
  for (const entry of wanted) {
    const installed = versions.get(entry.name);
    if (installed !== undefined && isNewer(installed, entry.version)) {
      throw new SkytoolsError(
        "MODULE_NEWER",
        `${db.label} has module ${entry.name} ${installed}, which is newer than ${entry.version}`,
        { hint: "Use the newer Skytools to change this database." },
      );
    }
    log?.info(installMessage(entry, installed, db.label));
    await db.execute(withoutTransaction(await moduleSql(entry.name)));
  }
}

function isDeadlock(error: unknown): boolean {
  return error instanceof DatabaseError && error.sqlState === "40P01";
}

/** The version of a module in a database: dotted numbers; `unknown` for an installation that does not tell; undefined
 * when the module is not there or never tells.
 * @throws DatabaseError */
export async function installedVersion(db: Database, name: ModuleName): Promise<string | undefined> {
  const schema = (await moduleCatalog()).find((entry) => entry.name === name)?.schema;
  if (schema === undefined) return undefined;
  const { hasSchema, hasVersion } = await db.queryOne<{ hasSchema: boolean; hasVersion: boolean }>(
    `select to_regnamespace($1) is not null as "hasSchema", to_regprocedure($2) is not null as "hasVersion"`,
    [schema, `${schema}.version()`],
  );
  if (!hasSchema) return undefined;
  if (!hasVersion) return "unknown";
  return (await db.queryValue<string | null>(`select ${schema}.version()`)) ?? "unknown";
}

function withRequired(names: readonly ModuleName[], catalog: readonly ModuleEntry[]): ModuleEntry[] {
  const wanted = new Set<ModuleName>();
  const add = (name: ModuleName): void => {
    const entry = catalog.find((known) => known.name === name);
    if (entry === undefined) throw new SkytoolsError("MODULE_UNKNOWN", `there is no module ${name}`);
    for (const required of entry.requires) add(required);
    wanted.add(name);
  };
  for (const name of names) add(name);
  return catalog.filter((entry) => wanted.has(entry.name));
}

/** `unknown` is older than everything. */
function isNewer(installed: string, ours: string): boolean {
  return compareVersions(installed, ours) > 0;
}

function installMessage(entry: ModuleEntry, installed: string | undefined, label: string): string {
  if (installed === undefined) return `installing ${entry.name} ${entry.version} in ${label}`;
  if (installed === entry.version) return `installing ${entry.name} ${entry.version} again in ${label}`;
  return `upgrading ${entry.name} from ${installed} to ${entry.version} in ${label}`;
}

/** The built file without its BEGIN and COMMIT. */
function withoutTransaction(sql: string): string {
  const start = sql.indexOf("\nbegin;\n") + "\nbegin;\n".length;
  return sql.slice(start, sql.lastIndexOf("\ncommit;\n") + 1);
}
