import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { allowedFunctions, allowedRelations, groupRoles } from "./allowed.ts";
import { databaseFixture, type Session } from "./fixture.ts";

const fixture = databaseFixture(["pgq", "pgq_coop", "pgq_ext", "pgq_node", "londiste", "logdb"]);
const schemas = Object.keys(allowedFunctions);

/** A user of each group role, called as it with `some_` before, and `some_public` who is in none. */
async function databaseWithUsers(): Promise<Session> {
  const session = await fixture.database();
  const isThere = await session.db.queryValue(
    "select count(*) > 0 from pg_roles where rolname = 'some_public'",
  );
  if (isThere === true) return session;
  await session.db.execute("create role some_public login");
  for (const role of groupRoles) await session.db.execute(`create role some_${role} login in role ${role}`);
  return session;
}

const ownRights = (kind: string, acl: string, owner: string) => `
  select case a.grantee when 0 then 'public' else a.grantee::regrole::text end as grantee, lower(a.privilege_type) as privilege
    from aclexplode(coalesce(${acl}, acldefault('${kind}', ${owner}))) a where a.grantee <> ${owner}`;

test("each function has been granted to whom the table says, and to nobody else", async () => {
  const { db } = await databaseWithUsers();
  const rows = await db.query<{ schema: string; name: string; grantees: string }>(
    `select distinct p.pronamespace::regnamespace::text as schema, p.proname as name,
            coalesce((select string_agg(g.grantee, ' ' order by g.grantee) from (${ownRights("f", "p.proacl", "p.proowner")}) g), 'owner')
              as grantees
       from pg_proc p where p.pronamespace = any ($1::regnamespace[]) order by 1, 2`,
    [schemas],
  );
  const granted: Record<string, Record<string, string[]>> = {};
  for (const { schema, name, grantees } of rows) {
    granted[schema] ??= {};
    granted[schema][grantees] ??= [];
    granted[schema][grantees].push(name);
  }
  const wanted = Object.entries(allowedFunctions).map(([schema, groups]) => [
    schema,
    Object.fromEntries(Object.entries(groups).map(([grantees, names]) => [grantees, names.split(/\s+/)])),
  ]);
  deepEqual(granted, Object.fromEntries(wanted));
});

test("each table, sequence and schema has been granted to whom the table says, and to nobody else", async () => {
  const { db } = await databaseWithUsers();
  await db.execute("select pgq.create_queue('q')");
  const rows = await db.query<{ name: string; rights: string }>(
    `select c.oid::regclass::text as name,
            coalesce((select string_agg(g.grantee || ': ' || g.privileges, '; ' order by g.grantee)
               from (select g.grantee, string_agg(g.privilege, ' ' order by g.privilege) as privileges
                       from (${ownRights("r", "c.relacl", "c.relowner")}) g group by 1) g), '') as rights
       from pg_class c where c.relnamespace = any ($1::regnamespace[]) and c.relkind in ('r', 'p', 'v', 'S') order by 1`,
    [schemas],
  );
  const wanted = Object.entries(allowedRelations).flatMap(([rights, names]) =>
    names.split(/\s+/).map((name) => ({ name, rights })),
  );
  const inOrder = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
  deepEqual(rows.toSorted(inOrder), wanted.toSorted(inOrder));
  deepEqual(
    await db.query(
      `select n.nspname as name, g.grantee, g.privilege from pg_namespace n, lateral (${ownRights("n", "n.nspacl", "n.nspowner")}) g
        where n.nspname = any ($1) order by 1`,
      [schemas],
    ),
    schemas
      .toSorted()
      .map((name) => ({ name, grantee: name === "log" ? "log_writer" : "public", privilege: "usage" })),
  );
});

/* In one statement, so that thousands of attempts take a second. Arguments come out of a subquery: what the planner can compute of a
 * strict function is not called. */
const attempts = `do $$
declare
    _attempt record;
begin
    create temp table outcome (who text, what text, outcome text);
    grant insert on outcome to public;
    for _attempt in
        select u.rolname as who, p.oid::regprocedure::text as what,
               format('select %s(%s) from (select %s offset 0) n', p.oid::regproc,
                      coalesce((select string_agg('n.a' || g, ', ') from generate_series(1, p.pronargs) g), ''),
                      coalesce((select string_agg(format('null::%s as a%s', case when t.typtype = 'p' then 'text' else a.type::regtype::text end, a.n), ', ')
                                  from unnest(p.proargtypes) with ordinality a(type, n) join pg_type t on t.oid = a.type), '1')) as sql
          from pg_proc p, pg_roles u
         where p.pronamespace = any ('{SCHEMAS}'::regnamespace[]) and u.rolname ~ '^some_'
           and not has_function_privilege(u.oid, p.oid, 'execute')
        union all
        select u.rolname, r.privilege || ' ' || c.oid::regclass,
               case r.privilege
                   when 'select' then format('select from %s limit 0', c.oid::regclass)
                   when 'insert' then format('insert into %s select where false', c.oid::regclass)
                   when 'update' then format('update %s set %I = %2$I where false', c.oid::regclass,
                       (select attname from pg_attribute where attrelid = c.oid and attnum > 0 and attidentity = '' limit 1))
                   when 'delete' then format('delete from %s where false', c.oid::regclass)
                   else format('truncate %s cascade', c.oid::regclass)
               end
          from pg_class c, pg_roles u, unnest('{select,insert,update,delete,truncate}'::text[]) r(privilege)
         where c.relnamespace = any ('{SCHEMAS}'::regnamespace[]) and c.relkind = 'r' and u.rolname ~ '^some_'
           and not has_table_privilege(u.oid, c.oid, r.privilege)
        union all
        select u.rolname, 'nextval ' || c.oid::regclass, format('select nextval(%L)', c.oid::regclass)
          from pg_class c, pg_roles u
         where c.relnamespace = any ('{SCHEMAS}'::regnamespace[]) and c.relkind = 'S' and u.rolname ~ '^some_'
           and not has_sequence_privilege(u.oid, c.oid, 'usage') and not has_sequence_privilege(u.oid, c.oid, 'update')
    loop
        begin
            execute format('set local role %I', _attempt.who);
            execute _attempt.sql;
            raise exception 'done' using errcode = 'TM001';
        exception when others then
            reset role;
            insert into outcome values (_attempt.who, _attempt.what, sqlstate || ' ' || sqlerrm);
        end;
    end loop;
end $$`;

test("whatever has not been granted is refused to everybody who tries", async () => {
  const { db } = await databaseWithUsers();
  await db.execute(`select pgq.create_queue('q');${attempts.replaceAll("SCHEMAS", schemas.join(","))}`);
  deepEqual(
    await db.query(
      "select * from outcome where outcome !~ '^42501 permission denied for (function|table|sequence|schema) '",
    ),
    [],
  );
  const tried = await db.query<{ who: string; many: boolean }>(
    "select who, count(*) > 20 as many from outcome group by 1 order by 1",
  );
  deepEqual(
    tried,
    [...groupRoles, "public"]
      .map((role) => ({ who: `some_${role}`, many: true }))
      .toSorted((a, b) => (a.who < b.who ? -1 : 1)),
  );
});
