/** Functions that our modules write for tables and queues as they are needed: no release ships them. */
const generatedFunction = "^(row|capture)_(json|urlenc|sql|kinds)_[0-9]+";
const queueRelation = "^event_[0-9]+";
const roleNames = "^(pgq_(reader|writer|admin)|londiste_(reader|writer)|log_writer)$";

/** A body without the section that pgq writes anew when queues come and go (pgq._refresh_static_inserts). */
const body = `case when strpos(p.prosrc, E'-- static inserts\\n') > 0
    then left(p.prosrc, strpos(p.prosrc, E'-- static inserts\\n') - 1)
      || substr(p.prosrc, strpos(p.prosrc, E'-- end of static inserts\\n'))
    else p.prosrc end`;

/** Types of the arguments that come out, for a function `p`; null where there are none. */
export const outTypes = `(
    select string_agg(format_type(t.type, null), ',' order by t.nr)
      from unnest(p.proallargtypes, p.proargmodes) with ordinality t (type, mode, nr)
     where t.mode in ('o', 'b', 't'))`;

/** Who owns an object, where that is not whoever owns the schema. */
const stranger = (owner: string) =>
  `case when ${owner} <> n.nspowner then pg_get_userbyid(${owner})::text end`;

const attributes = (pairs: Readonly<Record<string, string>>) =>
  `jsonb_strip_nulls(jsonb_build_object(${Object.entries(pairs)
    .map(([name, sql]) => `'${name}', ${sql}`)
    .join(", ")}))`;

/** Privileges of everybody but the owner. */
const grants = (from: string, what: string, acl: string, owner: string) => `
  select 'grant' as kind, lower(a.privilege_type) || ' on ' || ${what} || ' to ' || coalesce(quote_ident(r.rolname), 'public') as name,
         '{}'::jsonb as attributes, n.nspname
    from ${from}
   cross join aclexplode(${acl}) a
    left join pg_roles r on r.oid = a.grantee
   where a.grantee <> ${owner} and n.nspname = any ($1)`;

const routines = `pg_proc p join pg_namespace n on n.oid = p.pronamespace and p.proname !~ '${generatedFunction}'`;
const relations = `pg_class c join pg_namespace n on n.oid = c.relnamespace and c.relname !~ '${queueRelation}'`;
const relationWord = "case c.relkind when 'S' then 'sequence ' else 'table ' end";

/** Reads the surface of schemas, $1, with everything qualified: search_path must be pg_catalog.
 * Columns: kind, name, attributes (json), nspname (null for roles). */
export const surfaceQuery = `
  select 'role' as kind, quote_ident(r.rolname) as name, '{}'::jsonb as attributes, null::name as nspname
    from pg_roles r where r.rolname ~ '${roleNames}'
  union all
  select 'membership', quote_ident(m.rolname) || ' in ' || quote_ident(r.rolname), '{}', null
    from pg_auth_members am join pg_roles m on m.oid = am.member join pg_roles r on r.oid = am.roleid
   where m.rolname ~ '${roleNames}' and r.rolname ~ '${roleNames}'
  union all
  select 'schema', n.nspname, '{}', n.nspname from pg_namespace n where n.nspname = any ($1)
  union all
  select case c.relkind when 'S' then 'sequence' when 'v' then 'view' when 'c' then 'type' else 'table' end,
         c.oid::regclass::text, ${attributes({ owner: stranger("c.relowner") })}, n.nspname
    from ${relations} where c.relkind in ('r', 'v', 'S', 'c') and n.nspname = any ($1)
  union all
  select 'column', c.oid::regclass || '.' || quote_ident(a.attname),
         ${attributes({
           type: "format_type(a.atttypid, a.atttypmod)",
           nulls: "case when a.attnotnull then 'not null' else 'null' end",
           default: "replace(pg_get_expr(d.adbin, d.adrelid), 'pg_catalog.', '')",
         })}, n.nspname
    from ${relations} join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
   where c.relkind in ('r', 'v', 'c') and n.nspname = any ($1)
  union all
  select 'constraint', c.oid::regclass || ' ' || quote_ident(o.conname),
         ${attributes({ definition: "pg_get_constraintdef(o.oid)" })}, n.nspname
    from ${relations} join pg_constraint o on o.conrelid = c.oid and o.contype in ('p', 'u', 'f', 'c')
   where n.nspname = any ($1)
  union all
  select 'index', i.indexrelid::regclass::text, ${attributes({ definition: "pg_get_indexdef(i.indexrelid)" })}, n.nspname
    from ${relations} join pg_index i on i.indrelid = c.oid
   where n.nspname = any ($1) and not exists (select from pg_constraint o where o.conindid = i.indexrelid and o.contype in ('p', 'u', 'x'))
  union all
  select 'trigger', c.oid::regclass || ' ' || quote_ident(t.tgname),
         ${attributes({ definition: "pg_get_triggerdef(t.oid)", enabled: `t.tgenabled::text` })}, n.nspname
    from ${relations} join pg_trigger t on t.tgrelid = c.oid and not t.tgisinternal
   where n.nspname = any ($1)
  union all
  select 'function', p.oid::regprocedure::text,
         ${attributes({
           names: "array_to_string(p.proargnames, ',')",
           columns: outTypes,
           defaults: "nullif(p.pronargdefaults, 0)::text",
           result: "case when p.proretset then 'SETOF ' else '' end || format_type(p.prorettype, null)",
           language: "(select l.lanname::text from pg_language l where l.oid = p.prolang)",
           rights: "case when p.prosecdef then 'definer' else 'invoker' end",
           volatility:
             "case p.provolatile when 'i' then 'immutable' when 's' then 'stable' else 'volatile' end",
           strict: "case when p.proisstrict then 'strict' end",
           settings: "array_to_string(p.proconfig, '; ')",
           body: `md5(${body})`,
           owner: stranger("p.proowner"),
         })}, n.nspname
    from ${routines} where n.nspname = any ($1)
  union all ${grants("pg_namespace n", "'schema ' || quote_ident(n.nspname)", "coalesce(n.nspacl, acldefault('n', n.nspowner))", "n.nspowner")}
  union all ${grants(routines, "'function ' || p.oid::regprocedure", "coalesce(p.proacl, acldefault('f', p.proowner))", "p.proowner")}
  union all ${grants(relations, `${relationWord} || c.oid::regclass`, "coalesce(c.relacl, acldefault((case c.relkind when 'S' then 's' else 'r' end)::\"char\", c.relowner))", "c.relowner")}
     and c.relkind in ('r', 'v', 'S')`;
