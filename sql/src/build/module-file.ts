import { changedFunctionsSql, restoredGrantsSql } from "./changed-functions.ts";
import { type ExecuteGrant, executeGrantSql, readExecuteGrants } from "./execute-grants.ts";
import { extensionReleaseSql } from "./extension-release.ts";
import { expandIncludeList } from "./include-list.ts";
import type { ModuleFolder } from "./module-folder.ts";

/** The advisory lock under which modules are installed; one for all modules, since they share roles and schemas. */
const installLock = "7310575246402";

/** The installable file of one module: one transaction, repeatable, the same bytes for the same sources.
 * @param purpose `upgrade`: the file refuses a database that does not have the module in any release */
export function moduleFile(
  module: ModuleFolder,
  all: readonly ModuleFolder[],
  purpose: "install" | "upgrade" = "install",
): string {
  const files = expandIncludeList(module.directory);
  const grants = executeGrants(module);
  const parts = [
    lockSql,
    purpose === "upgrade" ? presentSql(module) : "",
    requiredSql(module, all),
    newerVersionSql(module),
    extensionReleaseSql(module, all),
    changedFunctionsSql(module, files.map((file) => file.text).join("")),
    ...files.map((file) => file.text),
    versionSql(module),
    executeGrantSql(grants),
    restoredGrantsSql(module),
  ];
  return inTransaction(`module ${module.name} ${module.version}`, parts);
}

/** Who may call the functions of a module. */
export function executeGrants(module: ModuleFolder): ExecuteGrant[] {
  const grants = readExecuteGrants(expandIncludeList(module.directory));
  if (module.schema === undefined) return grants;
  return [...grants, { schema: module.schema, name: "version", grantees: ["public"] }];
}

/** The file that removes a module. */
export function uninstallFile(module: ModuleFolder, text: string): string {
  return inTransaction(`removes module ${module.name} ${module.version}`, [lockSql, text]);
}

/** Whoever installs may be a superuser: what others have made in a schema of the usual search path, an operator for example, is
 * not to run with those rights. */
function inTransaction(title: string, parts: readonly string[]): string {
  const body = parts.filter((part) => part !== "").join("\n");
  const settings = "set local client_min_messages = warning;\nset local search_path = pg_catalog, pg_temp;\n";
  return `-- Skytools: ${title}\nbegin;\n${settings}\n${body}\ncommit;\n`;
}

const lockSql = `do $lock$
begin
    perform pg_catalog.pg_advisory_xact_lock(${installLock});
end;
$lock$;
`;

function requiredSql(module: ModuleFolder, all: readonly ModuleFolder[]): string {
  const schemas = all.filter((other) => module.requires.includes(other.name) && other.schema !== undefined);
  return schemas
    .map(
      (required) => `do $required$
begin
    if pg_catalog.to_regnamespace('${required.schema}') is null then
        raise exception 'module ${module.name} needs module ${required.name} in database %', pg_catalog.current_database()
            using errcode = 'object_not_in_prerequisite_state', hint = 'Install ${required.name} first.';
    end if;
end;
$required$;
`,
    )
    .join("\n");
}

function presentSql(module: ModuleFolder): string {
  return `do $present$
begin
    if pg_catalog.to_regnamespace('${module.schema}') is null then
        raise exception 'database % has no module ${module.name} to upgrade', pg_catalog.current_database()
            using errcode = 'object_not_in_prerequisite_state', hint = 'Install it with ${module.name}.sql.';
    end if;
end;
$present$;
`;
}

function newerVersionSql(module: ModuleFolder): string {
  if (module.schema === undefined) return "";
  const numbers = module.version.split(".").join(",");
  return `do $newer$
declare
    _installed text;
begin
    if pg_catalog.to_regprocedure('${module.schema}.version()') is null then
        return;
    end if;
    execute 'select ${module.schema}.version()' into _installed;
    if pg_catalog.string_to_array(pg_catalog.substring(_installed, '^\\d+(?:\\.\\d+)*'), '.')::integer[] > '{${numbers}}' then
        raise exception 'database % has module ${module.name} %, which is newer than ${module.version}',
            pg_catalog.current_database(), _installed
            using errcode = 'object_not_in_prerequisite_state', hint = 'Use the newer Skytools to change this database.';
    end if;
end;
$newer$;
`;
}

function versionSql(module: ModuleFolder): string {
  if (module.schema === undefined) return "";
  return `create or replace function ${module.schema}.version()
returns text
language sql as $$
    select '${module.version}'::pg_catalog.text
$$;
`;
}
