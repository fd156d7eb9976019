/** One row with one JSON text: everything about the table $1.$2 (schema, name as plain text). Definitions come out
 * fully qualified only when search_path is empty.
 * Works on PostgreSQL 14 to 18; what a version lacks is read through to_jsonb().
 * Source: PostgreSQL manual, "System Catalogs". */
export const tableQuery = `
with target as (
  select c.*, n.nspname
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
   where n.nspname = $1 and c.relname = $2 and c.relkind in ('r', 'p', 'f', 'v', 'm')
), columns as (
  select a.attnum, json_build_object(
           'name', a.attname,
           'number', a.attnum,
           'type', pg_catalog.format_type(a.atttypid, a.atttypmod),
           'typeOid', a.atttypid::bigint,
           'notNull', a.attnotnull,
           'default', case when a.attgenerated = '' then pg_catalog.pg_get_expr(d.adbin, d.adrelid) end,
           'generated', case when a.attgenerated <> '' then pg_catalog.pg_get_expr(d.adbin, d.adrelid) end,
           'generatedKind', case a.attgenerated when 's' then 'stored' when 'v' then 'virtual' end,
           'identity', case a.attidentity when 'a' then 'always' when 'd' then 'by default' end,
           'collation', case when a.attcollation <> y.typcollation
                             then pg_catalog.quote_ident(cn.nspname) || '.' || pg_catalog.quote_ident(co.collname) end,
           'storage', case when a.attstorage <> y.typstorage then
                        case a.attstorage when 'p' then 'plain' when 'e' then 'external'
                                          when 'm' then 'main' when 'x' then 'extended' end end,
           'compression', case a.attcompression when 'p' then 'pglz' when 'l' then 'lz4' end,
           'statistics', nullif(coalesce(a.attstattarget, -1), -1),
           'options', a.attoptions,
           'isInherited', a.attinhcount > 0 and not a.attislocal,
           'comment', pg_catalog.col_description(a.attrelid, a.attnum)) as item
    from target t
    join pg_catalog.pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
    join pg_catalog.pg_type y on y.oid = a.atttypid
    left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    left join pg_catalog.pg_collation co on co.oid = a.attcollation
    left join pg_catalog.pg_namespace cn on cn.oid = co.collnamespace
), indexes as (
  select ic.relname, json_build_object(
           'name', ic.relname,
           'definition', pg_catalog.pg_get_indexdef(i.indexrelid),
           'body', substr(pg_catalog.pg_get_indexdef(i.indexrelid), length(pg_catalog.format('CREATE %sINDEX %I ON %s%I.%I ',
                     case when i.indisunique then 'UNIQUE ' end, ic.relname,
                     case when t.relkind = 'p' then 'ONLY ' end, t.nspname, t.relname)) + 1),
           'columns', (select json_agg(pg_catalog.pg_get_indexdef(i.indexrelid, k, true) order by k)
                         from generate_series(1, i.indnkeyatts) k),
           'isUnique', i.indisunique,
           'isPrimary', i.indisprimary,
           'isValid', i.indisvalid,
           'isClustered', i.indisclustered,
           'isReplicaIdentity', i.indisreplident,
           'isPartial', i.indpred is not null,
           'isInherited', ic.relispartition,
           'constraint', con.conname,
           'tablespace', ts.spcname,
           'sizeBytes', pg_catalog.pg_relation_size(i.indexrelid)::text,
           'comment', pg_catalog.obj_description(ic.oid, 'pg_class')) as item
    from target t
    join pg_catalog.pg_index i on i.indrelid = t.oid
    join pg_catalog.pg_class ic on ic.oid = i.indexrelid
    left join pg_catalog.pg_constraint con
      on con.conindid = i.indexrelid and con.conrelid = t.oid and con.contype in ('p', 'u', 'x')
    left join pg_catalog.pg_tablespace ts on ts.oid = ic.reltablespace
), constraints as (
  select con.contype, con.conname, json_build_object(
           'name', con.conname,
           'kind', case con.contype when 'p' then 'primary key' when 'u' then 'unique'
                                    when 'c' then 'check' when 'x' then 'exclusion' end,
           'definition', pg_catalog.pg_get_constraintdef(con.oid),
           'columns', (select json_agg(a.attname order by k.position)
                         from unnest(con.conkey) with ordinality k(attnum, position)
                         join pg_catalog.pg_attribute a on a.attrelid = con.conrelid and a.attnum = k.attnum),
           'isInherited', not con.conislocal or con.conparentid <> 0,
           'tablespace', ts.spcname,
           'comment', pg_catalog.obj_description(con.oid, 'pg_constraint')) as item
    from target t
    join pg_catalog.pg_constraint con on con.conrelid = t.oid and con.contype in ('p', 'u', 'c', 'x')
    left join pg_catalog.pg_class ic on ic.oid = con.conindid
    left join pg_catalog.pg_tablespace ts on ts.oid = ic.reltablespace
), foreign_keys as (
  select con.conrelid = t.oid as is_outgoing, con.confrelid = t.oid as is_incoming, con.conname,
         fn.nspname as from_schema, json_build_object(
           'name', con.conname,
           'fromSchema', fn.nspname, 'fromTable', fc.relname,
           'toSchema', rn.nspname, 'toTable', rc.relname,
           'fromColumns', (select json_agg(a.attname order by k.position)
                             from unnest(con.conkey) with ordinality k(attnum, position)
                             join pg_catalog.pg_attribute a on a.attrelid = con.conrelid and a.attnum = k.attnum),
           'toColumns', (select json_agg(a.attname order by k.position)
                           from unnest(con.confkey) with ordinality k(attnum, position)
                           join pg_catalog.pg_attribute a on a.attrelid = con.confrelid and a.attnum = k.attnum),
           'definition', pg_catalog.pg_get_constraintdef(con.oid),
           'isValidated', con.convalidated,
           'isInherited', con.conparentid <> 0,
           'comment', pg_catalog.obj_description(con.oid, 'pg_constraint')) as item
    from target t
    join pg_catalog.pg_constraint con on con.contype = 'f' and t.oid in (con.conrelid, con.confrelid)
    join pg_catalog.pg_class fc on fc.oid = con.conrelid
    join pg_catalog.pg_namespace fn on fn.oid = fc.relnamespace
    join pg_catalog.pg_class rc on rc.oid = con.confrelid
    join pg_catalog.pg_namespace rn on rn.oid = rc.relnamespace
), triggers as (
  select g.tgname, json_build_object(
           'name', g.tgname,
           'definition', pg_catalog.pg_get_triggerdef(g.oid),
           'enabled', case g.tgenabled when 'O' then 'origin' when 'D' then 'disabled'
                                       when 'R' then 'replica' when 'A' then 'always' end,
           'isRow', (g.tgtype & 1) <> 0,
           'timing', case when (g.tgtype & 2) <> 0 then 'before' when (g.tgtype & 64) <> 0 then 'instead of'
                          else 'after' end,
           'events', array_remove(array[case when (g.tgtype & 4) <> 0 then 'insert' end,
                                        case when (g.tgtype & 8) <> 0 then 'delete' end,
                                        case when (g.tgtype & 16) <> 0 then 'update' end,
                                        case when (g.tgtype & 32) <> 0 then 'truncate' end], null),
           'function', pn.nspname || '.' || p.proname,
           'isInherited', g.tgparentid <> 0,
           'comment', pg_catalog.obj_description(g.oid, 'pg_trigger')) as item
    from target t
    join pg_catalog.pg_trigger g on g.tgrelid = t.oid and not g.tgisinternal
    join pg_catalog.pg_proc p on p.oid = g.tgfoid
    join pg_catalog.pg_namespace pn on pn.oid = p.pronamespace
), rules as (
  select r.rulename, json_build_object(
           'name', r.rulename,
           'definition', pg_catalog.pg_get_ruledef(r.oid),
           'enabled', case r.ev_enabled when 'O' then 'origin' when 'D' then 'disabled'
                                        when 'R' then 'replica' when 'A' then 'always' end,
           'comment', pg_catalog.obj_description(r.oid, 'pg_rewrite')) as item
    from target t
    join pg_catalog.pg_rewrite r on r.ev_class = t.oid and r.rulename <> '_RETURN'
), policies as (
  select p.polname, json_build_object(
           'name', p.polname,
           'isPermissive', p.polpermissive,
           'command', case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update'
                                    when 'd' then 'delete' else 'all' end,
           'roles', (select json_agg(r.rolname order by r.rolname) from pg_catalog.pg_roles r where r.oid = any (p.polroles)),
           'using', pg_catalog.pg_get_expr(p.polqual, p.polrelid),
           'check', pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid),
           'comment', pg_catalog.obj_description(p.oid, 'pg_policy')) as item
    from target t
    join pg_catalog.pg_policy p on p.polrelid = t.oid
), statistics as (
  select s.stxname, json_build_object(
           'schema', sn.nspname,
           'name', s.stxname,
           'kinds', (select json_agg(case k when 'd' then 'ndistinct' when 'f' then 'dependencies' else 'mcv' end order by k)
                       from unnest(s.stxkind) k where k in ('d', 'f', 'm')),
           'columns', pg_catalog.pg_get_statisticsobjdef_columns(s.oid),
           'target', nullif(coalesce(s.stxstattarget, -1), -1),
           'comment', pg_catalog.obj_description(s.oid, 'pg_statistic_ext')) as item
    from target t
    join pg_catalog.pg_statistic_ext s on s.stxrelid = t.oid
    join pg_catalog.pg_namespace sn on sn.oid = s.stxnamespace
), owned_sequences as (
  select sn.nspname, s.relname, json_build_object(
           'schema', sn.nspname, 'name', s.relname, 'column', a.attname, 'isIdentity', d.deptype = 'i',
           'settings', pg_catalog.concat_ws(' ', 'as ' || pg_catalog.format_type(q.seqtypid, null),
                         'increment by ' || q.seqincrement, 'minvalue ' || q.seqmin, 'maxvalue ' || q.seqmax,
                         'start with ' || q.seqstart, 'cache ' || q.seqcache,
                         case when q.seqcycle then 'cycle' end)) as item
    from target t
    join pg_catalog.pg_depend d on d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid = t.oid
     and d.refobjsubid > 0 and d.classid = 'pg_catalog.pg_class'::regclass and d.deptype in ('a', 'i')
    join pg_catalog.pg_class s on s.oid = d.objid and s.relkind = 'S'
    join pg_catalog.pg_sequence q on q.seqrelid = s.oid
    join pg_catalog.pg_namespace sn on sn.oid = s.relnamespace
    join pg_catalog.pg_attribute a on a.attrelid = t.oid and a.attnum = d.refobjsubid
), grants as (
  select 0 as attnum, g.privilege_type, json_build_object(
           'grantee', r.rolname, 'privilege', lower(g.privilege_type), 'isGrantable', g.is_grantable) as item
    from target t
    cross join lateral pg_catalog.aclexplode(t.relacl) g
    left join pg_catalog.pg_roles r on r.oid = g.grantee
   where g.grantee = 0 or r.rolname is not null
  union all
  select a.attnum, g.privilege_type, json_build_object(
           'grantee', r.rolname, 'privilege', lower(g.privilege_type), 'isGrantable', g.is_grantable,
           'column', a.attname)
    from target t
    join pg_catalog.pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
    cross join lateral pg_catalog.aclexplode(a.attacl) g
    left join pg_catalog.pg_roles r on r.oid = g.grantee
   where g.grantee = 0 or r.rolname is not null
)
select json_build_object(
         'oid', t.oid::bigint,
         'kind', case t.relkind when 'r' then 'table' when 'p' then 'partitioned table' when 'f' then 'foreign table'
                                when 'v' then 'view' when 'm' then 'materialized view' end,
         'persistence', case t.relpersistence when 'p' then 'permanent' when 'u' then 'unlogged' else 'temporary' end,
         'owner', pg_catalog.pg_get_userbyid(t.relowner),
         'tablespace', (select spcname from pg_catalog.pg_tablespace where oid = t.reltablespace),
         'accessMethod', (select amname from pg_catalog.pg_am where oid = t.relam and amname <> 'heap'),
         'options', t.reloptions || (select array_agg('toast.' || o) from pg_catalog.pg_class tc, unnest(tc.reloptions) o
                                      where tc.oid = t.reltoastrelid),
         'replicaIdentity', case t.relreplident when 'd' then 'default' when 'n' then 'nothing'
                                                when 'f' then 'full' else 'index' end,
         'hasRowSecurity', t.relrowsecurity,
         'forcesRowSecurity', t.relforcerowsecurity,
         'isPartition', t.relispartition,
         'partitionBound', pg_catalog.pg_get_expr(t.relpartbound, t.oid),
         'partitionKey', case when t.relkind = 'p' then pg_catalog.pg_get_partkeydef(t.oid) end,
         'estimatedRows', greatest(t.reltuples, 0)::bigint::text,
         'sizeBytes', case when t.relkind in ('r', 'm') then pg_catalog.pg_table_size(t.oid)::text end,
         'comment', pg_catalog.obj_description(t.oid, 'pg_class'),
         'columns', (select json_agg(item order by attnum) from columns),
         'indexes', (select json_agg(item order by relname) from indexes),
         'constraints', (select json_agg(item order by contype = 'p' desc, conname) from constraints),
         'foreignKeys', (select json_agg(item order by conname) from foreign_keys where is_outgoing),
         'referencingKeys', (select json_agg(item order by from_schema, conname) from foreign_keys where is_incoming),
         'triggers', (select json_agg(item order by tgname) from triggers),
         'rules', (select json_agg(item order by rulename) from rules),
         'policies', (select json_agg(item order by polname) from policies),
         'statistics', (select json_agg(item order by stxname) from statistics),
         'ownedSequences', (select json_agg(item order by nspname, relname) from owned_sequences),
         'grants', (select json_agg(item order by attnum, privilege_type) from grants),
         'parents', (select json_agg(json_build_object('schema', pn.nspname, 'name', p.relname) order by h.inhseqno)
                       from pg_catalog.pg_inherits h
                       join pg_catalog.pg_class p on p.oid = h.inhparent
                       join pg_catalog.pg_namespace pn on pn.oid = p.relnamespace
                      where h.inhrelid = t.oid),
         'children', (select json_agg(json_build_object('schema', cn.nspname, 'name', c.relname)
                                      order by cn.nspname, c.relname)
                        from pg_catalog.pg_inherits h
                        join pg_catalog.pg_class c on c.oid = h.inhrelid
                        join pg_catalog.pg_namespace cn on cn.oid = c.relnamespace
                       where h.inhparent = t.oid)
       )::text as structure
  from target t`;
