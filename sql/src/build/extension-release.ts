import type { ModuleFolder } from "./module-folder.ts";

/** The statement that takes a module out of the extension of the same name, where the originals were installed as one, and
 * drops the empty extension. The objects stay as they are. A member is not in a dump: restored, such a database would ask for
 * the compiled original and then not fit it. Modules that need this one go with it, since their extensions need its. */
export function extensionReleaseSql(module: ModuleFolder, all: readonly ModuleFolder[]): string {
  if (module.schema === undefined) return "";
  const names = [...all]
    .reverse()
    .filter((other) => other === module || needs(other, module, all))
    .map((other) => other.name);
  return `do $extension$
declare
    _extension name;
    _member text;
begin
    foreach _extension in array '{${names.join(",")}}'::name[]
    loop
        for _member in
            select o.type || ' ' || o.identity
              from pg_catalog.pg_extension e
              join pg_catalog.pg_depend d
                on d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass and d.refobjid = e.oid and d.deptype = 'e'
             cross join lateral pg_catalog.pg_identify_object(d.classid, d.objid, d.objsubid) o
             where e.extname = _extension
        loop
            execute pg_catalog.format('alter extension %I drop %s', _extension, _member);
        end loop;
        begin
            execute pg_catalog.format('drop extension if exists %I', _extension);
        exception
            when dependent_objects_still_exist then
                raise warning 'extension % of database % stays, without members: another extension needs it',
                    _extension, pg_catalog.current_database();
        end;
    end loop;
end;
$extension$;
`;
}

function needs(module: ModuleFolder, required: ModuleFolder, all: readonly ModuleFolder[]): boolean {
  return module.requires.some(
    (name) =>
      name === required.name || all.some((other) => other.name === name && needs(other, required, all)),
  );
}
