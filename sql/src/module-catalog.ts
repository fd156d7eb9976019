import { readFile } from "node:fs/promises";

/** Every module that this package can install. */
export type ModuleName =
  | "pgq"
  | "pgq_coop"
  | "pgq_ext"
  | "pgq_node"
  | "londiste"
  | "txid"
  | "logtriga"
  | "dispatch"
  | "conflicthandler"
  | "logdb";

/** One built module. */
export interface ModuleEntry {
  readonly name: ModuleName;
  /** schema of its version function; a module without one has no recorded version */
  readonly schema?: string;
  /** dotted numbers */
  readonly version: string;
  readonly requires: readonly ModuleName[];
}

/** The built modules, required ones before those that require them. */
export async function moduleCatalog(): Promise<readonly ModuleEntry[]> {
  return JSON.parse(await readFile(new URL("modules.json", import.meta.url), "utf8")) as ModuleEntry[];
}

/** The plain SQL file that installs a module or upgrades it; one transaction, safe to apply again.
 * Works with `psql -f` and as one query of the simple protocol. */
export function moduleSql(name: ModuleName): Promise<string> {
  return readFile(new URL(`${name}.sql`, import.meta.url), "utf8");
}

/** The plain SQL file that removes a module. It refuses where other parts still need it. */
export function uninstallSql(name: ModuleName): Promise<string> {
  return readFile(new URL(`${name}.uninstall.sql`, import.meta.url), "utf8");
}
