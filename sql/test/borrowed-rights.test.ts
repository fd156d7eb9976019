import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { test } from "node:test";
import { Database } from "@skytools/skytools";
import { installModules } from "@skytools/sql";
import { databaseFixture, type Session } from "./fixture.ts";
import { answer, createRoot } from "./pgq_node/node.ts";

/* What a role with few rights could get our functions to run for it with the rights of others: of their owner, or of the superuser who
 * calls them. Whatever is the attacker's own says, when it runs, whose rights it has. */

const fixture = databaseFixture(["pgq", "pgq_coop", "pgq_ext", "pgq_node", "londiste"]);

const confession = (schema: string): string =>
  `create function ${schema}.confess() returns boolean language plpgsql as $$ begin raise exception 'ran as %', current_user; end $$;`;

/** A pgq_writer with a schema and a session of its own. */
async function attacker({ db, another }: Pick<Session, "db" | "another">): Promise<Database> {
  const isThere = await db.queryValue("select count(*) > 0 from pg_roles where rolname = 'mallory'");
  if (isThere !== true) await db.execute("create role mallory login");
  if ((await db.queryValue("select to_regnamespace('pgq') is not null")) === true) {
    await db.execute("grant pgq_writer to mallory");
  }
  await db.execute("create schema mallory authorization mallory");
  return another({ user: "mallory" });
}

const eventCount = (db: Database) => db.queryValue("select count(*) from pgq.event_template");

test("types that a writer has made are not those of a function that runs with its owner's rights", async () => {
  const session = await fixture.database();
  const { db } = session;
  const mallory = await attacker(session);
  await db.execute(`select pgq.create_queue('q'), pgq.create_queue('limited');
    update pgq.queue set queue_per_tx_limit = 9 where queue_name = 'limited';
    create table by_set (id int primary key); create table by_row (id int primary key, v text);
    grant select, insert, update on by_set, by_row to mallory`);
  await db.execute(
    "select pgq.create_capture('by_set', 'log', 'q'), pgq.create_capture('by_row', 'log', 'q', i_form => 'row')",
  );
  const fields = Array.from({ length: 20 }, (_, nr) => `f${nr} pg_temp.text`).join(", ");
  await mallory.execute(`${confession("pg_temp")}
    create domain pg_temp.text as pg_catalog.text check (pg_temp.confess());
    create domain pg_temp.name as pg_catalog.name check (pg_temp.confess());
    create domain pg_temp.oid as pg_catalog.oid check (pg_temp.confess());
    create domain pg_temp.jsonb as pg_catalog.jsonb check (pg_temp.confess());
    create type pg_temp.record as (${fields})`);
  await mallory.execute(
    "begin isolation level repeatable read; select pgq.insert_event('q', 't', 'd'); commit",
  );
  await mallory.execute("select pgq.insert_event('limited', 't', 'd')");
  await mallory.execute("select pgq.insert_events('limited', '{t}', '{d}')");
  // The generated functions are stale then, and look the table up.
  await db.execute("alter table by_set add v int; alter table by_row add w int");
  await mallory.execute("insert into by_set values (1, 1); insert into by_row values (1, 'v', 1)");
  await mallory.execute(
    "begin isolation level repeatable read; update by_set set v = 2; update by_row set w = 2; commit",
  );
  equal(await eventCount(db), 7n);
});

test("a literal behind a blank of another script is an expression: it runs as whoever changes the table", async () => {
  const { db: anywhere, connstr } = await fixture.database();
  await anywhere.execute("create database scripts template template0 lc_collate 'C' lc_ctype 'C.UTF-8'");
  const there = connstr.replace(/dbname=\S+/, "dbname=scripts");
  await using db = await Database.open(there, { autocommit: true });
  equal(await db.queryValue("select E'\\u2003' ~ '^\\s$'"), true, "the server takes it for a blank");
  await installModules(db, ["pgq"]);
  await db.execute("select pgq.create_queue('q')");
  const another = () => Database.open(there.replace(/user=\S+/, "user=mallory"), { autocommit: true });
  await using mallory = await attacker({ db, another });
  await mallory.execute(`${confession("mallory")}
    create domain mallory."\u2003" as text check (mallory.confess());
    create table mallory.t (id int primary key);
    select pgq.create_capture('mallory.t', 'log', 'q', 'json', array[E'ev_extra2=\\u2003''x''']);
    set search_path = mallory`);
  await rejects(mallory.execute("insert into mallory.t values (1)"), /ran as mallory/);
});

test("an operator for a domain does not compare for a capture in place of the one of its type", async () => {
  const session = await fixture.database();
  const { db } = session;
  const mallory = await attacker(session);
  await db.execute(`select pgq.create_queue('q'); create schema ext; grant usage, create on schema ext to mallory;
    create type ext.raw;
    create function ext.raw_in(cstring) returns ext.raw language internal immutable strict as 'byteain';
    create function ext.raw_out(ext.raw) returns cstring language internal immutable strict as 'byteaout';
    create type ext.raw (input = ext.raw_in, output = ext.raw_out, like = pg_catalog.bytea);
    create function ext.raw_eq(ext.raw, ext.raw) returns boolean language internal immutable strict as 'byteaeq';
    create function ext.raw_hash(ext.raw) returns integer language internal immutable strict as 'hashvarlena';
    create operator ext.= (leftarg = ext.raw, rightarg = ext.raw, function = ext.raw_eq);
    create operator class ext.raw_ops default for type ext.raw using hash as
      operator 1 ext.= (ext.raw, ext.raw), function 1 ext.raw_hash(ext.raw)`);
  await mallory.execute(`${confession("mallory")}
    create domain mallory.own as ext.raw;
    create function mallory.same(mallory.own, mallory.own) returns boolean language sql as 'select mallory.confess()';
    create operator ext.= (leftarg = mallory.own, rightarg = mallory.own, function = mallory.same);
    create table mallory.t (id int primary key, v mallory.own, u ext.raw);
    select pgq.create_capture('mallory.t', 'log', 'q', 'sql')`);
  await mallory.execute(`insert into mallory.t values (1, '\\x01', '\\x01'); update mallory.t set v = '\\x02';
    update mallory.t set u = '\\x02', v = '\\x02'`);
  deepEqual(
    await db.query("select ev_data from pgq.event_template order by ev_id"),
    [
      "(id,v,u) values ('1',E'\\\\x01',E'\\\\x01')",
      "v=E'\\\\x02' where id='1'",
      "u=E'\\\\x02' where id='1'",
    ].map((ev_data) => ({ ev_data })),
  );
});

test("TRUNCATE of a partition does not compute what its owner has written with the rights of londiste's", async () => {
  const session = await fixture.database();
  const { db } = session;
  const mallory = await attacker(session);
  await createRoot(db, "aset");
  await mallory.execute(`${confession("mallory")}
    create table mallory.parts (id int primary key) partition by range (id);
    create table mallory.parts1 partition of mallory.parts for values from (0) to (10)`);
  match(await answer(db, "londiste.local_add_table", "aset", "mallory.parts"), /^200/);
  await mallory.execute(`create trigger own after delete on mallory.parts for each row
      execute function pgq.jsontriga('aset', 'ev_extra2=mallory.confess()::text');
    insert into mallory.parts values (1)`);
  await rejects(
    mallory.execute("truncate mallory.parts1"),
    /TRUNCATE of a partition of mallory\.parts cannot be captured into queue aset: trigger own computes with expressions/,
  );
  // The superuser's own expressions are another matter.
  await db.execute(`drop trigger own on mallory.parts; alter table mallory.parts owner to postgres;
    create trigger own after delete on mallory.parts for each row execute function pgq.jsontriga('aset', 'ev_extra2=current_user');
    grant truncate on mallory.parts1 to mallory`);
  await mallory.execute("truncate mallory.parts1");
  deepEqual(
    await db.query("select ev_extra2 from pgq.event_template where ev_type ~ 'DELETE' order by ev_extra2"),
    [{ ev_extra2: "postgres" }, { ev_extra2: null }],
  );
});

/** Operators and functions in schema public that fit the types better than those of the server, where these take theirs by
 * conversion. */
const traps = `
  create function public.confess() returns void language plpgsql as $$ begin raise exception 'ran as %', current_user; end $$;
  do $$
  declare
      _types text[] := '{text,name,integer,bigint,smallint,oid,regclass,"\\"char\\"",text[],name[]}';
      _trap record;
      _result text;
  begin
      for _trap in
          select o.name, l.type as left_type, r.type as right_type
            from unnest('{||,=,<>,<,>,<=,>=,+,-,*,/,%,&,|,~,!~,~~,!~~}'::text[]) o(name)
           cross join unnest(_types) l(type) cross join unnest(_types) r(type)
           where to_regoperator(format('pg_catalog.%s(%s,%s)', o.name, l.type, r.type)) is null
      loop
          _result := case when _trap.name = '||' and (_trap.left_type ~ ']' or _trap.right_type ~ ']') then 'text[]'
                          when _trap.name = '||' then 'text'
                          when _trap.name in ('+', '-', '*', '/', '%', '&', '|') then 'integer' else 'boolean' end;
          execute format('create function public.trap_%s(%s, %s) returns %s language plpgsql as
                             ''begin perform public.confess(); return null; end''',
                         md5(_trap.name), _trap.left_type, _trap.right_type, _result);
          execute format('create operator public.%s (leftarg = %s, rightarg = %s, function = public.trap_%s)',
                         _trap.name, _trap.left_type, _trap.right_type, md5(_trap.name));
      end loop;
      for _trap in
          select f.signature, f.result
            from (values ('format(text,text)', 'text'), ('format(text,text,text)', 'text'), ('format(text,name)', 'text'),
                         ('format(text,name,regclass)', 'text'), ('format(text,text,regclass)', 'text'),
                         ('format(text,text,regclass,text)', 'text'), ('format(text,name,name)', 'text'),
                         ('concat(text,text)', 'text'), ('concat(text,text,text)', 'text'), ('concat(name,text,name)', 'text'),
                         ('unnest(text[])', 'setof text'), ('unnest(oid[])', 'setof oid'), ('cardinality(text[])', 'integer'),
                         ('array_to_string(text[],text)', 'text'), ('array_position(text[],text)', 'integer'),
                         ('array_length(text[],integer)', 'integer'), ('array_agg(text)', 'text[]'), ('min(text)', 'text'),
                         ('quote_nullable(integer)', 'text'), ('num_nulls(text)', 'integer'), ('to_json(text)', 'json'),
                         ('left(name,integer)', 'text'), ('substr(name,integer)', 'text'), ('length(name)', 'integer'),
                         ('quote_ident(name)', 'text'), ('starts_with(name,text)', 'boolean'), ('parse_ident(text)', 'text[]'))
                 f(signature, result)
           where to_regprocedure('pg_catalog.' || f.signature) is null
      loop
          execute format('create function public.%s returns %s language plpgsql as
                             ''begin perform public.confess(); return; end''', _trap.signature,
                         case when _trap.result ~ 'setof' then _trap.result else 'setof ' || _trap.result end);
      end loop;
  end $$`;

test("what others have made in schema public is not called by functions that a superuser calls", async () => {
  const session = await fixture.database();
  const { db } = session;
  const mallory = await attacker(session);
  await db.execute("grant create on schema public to mallory");
  await mallory.execute(traps);
  await rejects(db.query("select 'a'::text || 1"), /ran as postgres/, "the traps work");
  // Each in its own transaction, as ticks want it.
  const run = async (statements: string) => {
    for (const statement of statements.split(";\n")) await db.execute(statement);
  };
  await run(`
    select pgq.create_queue('q');
    select pgq.register_consumer('q', 'c');
    select pgq.insert_event('q', 't', 'd'), pgq.insert_event_raw('q', null, null, null, null, 't', 'd', null, null, null, null);
    select pgq.force_tick('q');
    select pgq.ticker();
    select pgq.current_event_table('q');
    select pgq.next_batch('q', 'c');
    select pgq.batch_retry(1, 0);
    select * from pgq.show_batch_events('q', 'c');
    begin;
    select * from pgq.get_batch_cursor(1, 'batch', 10, 'ev_id > 0');
    select * from pgq.get_batch_events(1);
    commit;
    select * from pgq.get_tick_events('q', 1, 2);
    select pgq.del_event(1, 1);
    select pgq.finish_batch(1);
    select pgq.maint_retry_events();
    select * from pgq.get_queue_info(), pgq.get_consumer_info();
    select * from pgq.maint_operations();
    select pgq.set_queue_config('q', 'rotation_period', '0');
    select pgq.maint_rotate_tables_step1('q');
    select pgq.maint_rotate_tables_step2();
    select pgq.tune_storage('q'), pgq.seq_setval('pgq.event_1_id_seq', 100000), pgq.upgrade_schema();
    select pgq_coop.next_batch('q', 'main', 'sub'), pgq_coop.next_batch('q', 'main', 'sub', '1 hour');
    select pgq_ext.set_batch_done('c', 1), pgq_ext.set_event_done('c', 1, 1), pgq_ext.set_last_tick('c', 1), pgq_ext.upgrade_schema();
    select pgq.unregister_consumer('q', 'c'), pgq.drop_queue('q', true);
    create table a (id serial primary key, v text);
    create table b (id int primary key, a int references a);
    create table parts (id int primary key, v text) partition by range (id);
    create table parts1 partition of parts for values from (0) to (10);
    create table log (at timestamptz, id int primary key)`);
  await createRoot(db, "aset");
  for (const [name, ...args] of [
    ["a"],
    ["b", ["tgflags=BIUDQ", "backup"], null],
    ["parts"],
    ["log", ["SKIP"], null, "public.log"],
  ] as const) {
    match(await answer(db, "londiste.local_add_table", "aset", `public.${name}`, ...args), /^(200|301)/);
  }
  match(await answer(db, "londiste.local_add_seq", "aset", "public.a_id_seq"), /^200/);
  await run(`
    insert into a (v) values ('x'); insert into b values (1, 1); insert into parts values (1, 'x'); truncate parts1; truncate b;
    select londiste.create_partition('public.log', 'public.log_2001_01', 'id', 'at', '2001-01-02', 'month');
    select londiste.list_obsolete_partitions('public.log', '1 year', 'month');
    select londiste.drop_obsolete_partitions('public.log', '1 year', 'month');
    select londiste.periodic_maintenance(), londiste.root_check_seqs('aset'), londiste.upgrade_schema();
    select * from londiste.get_table_list('aset'), londiste.get_seq_list('aset');
    select * from londiste.local_show_missing('aset');
    select * from londiste.find_table_fkeys('public.b');
    select londiste.drop_table_fkey('public.b', 'b_a_fkey');
    select londiste.get_table_pending_fkeys('public.b'), londiste.get_valid_pending_fkeys('aset');
    select londiste.restore_table_fkey('public.b', 'b_a_fkey', true);
    select londiste.restore_table_fkey('public.b', 'b_a_fkey');
    select londiste.find_column_types('public.b');
    select londiste.execute_start('aset', 'f.sql', 'select 1', true), londiste.execute_finish('aset', 'f.sql');
    select londiste.local_change_handler('aset', 'public.a', '{}', 'x=y');
    update londiste.table_info set merge_state = 'in-copy' where table_name = 'public.b';
    select londiste.local_copy_start('aset', 'public.b', 'me', 'root', 1, 1);
    select londiste.local_copy_progress('aset', 'public.b', 'copy', 1, 1);
    select londiste.local_copy_error('aset', 'public.b', 'failed', '1 s');
    select londiste.get_copy_progress('aset');
    select londiste.local_set_table_struct('aset', 'public.b', 'create index b_a on public.b (a)');
    select londiste.local_remove_table('aset', 'public.b'), londiste.local_remove_table('aset', 'public.parts'),
      londiste.local_remove_table('aset', 'public.a');
    select pgq_node.get_node_info('aset'), pgq_node.maint_watermark('aset');
    select pgq_node.drop_node('aset', 'root')`);
  equal(await db.queryValue("select to_regclass('public.b_a') is not null"), true);
});

test("modules are installed, and brought up to date, without what others have made in schema public", async () => {
  const session = await fixture.emptyDatabase();
  const { db } = session;
  const mallory = await attacker(session);
  await db.execute("grant create on schema public to mallory");
  await mallory.execute(traps);
  const modules = [
    "pgq",
    "pgq_coop",
    "pgq_ext",
    "pgq_node",
    "londiste",
    "logdb",
    "dispatch",
    "conflicthandler",
    "logtriga",
  ] as const;
  await installModules(db, modules);
  await installModules(db, modules);
});

/** Functions that look names up on the path of whoever calls them: because they run his expressions or what was stored as he saw it,
 * or are called too often for a setting. They name the schema of all else. */
test("a function has a search path of its own, or calls nothing of the server without its schema", async () => {
  const { db } = await fixture.database();
  const open = await db.query<{ name: string; calls: string[] | null }>(
    `select distinct p.oid::regprocedure::text as name, (
         select array_agg(distinct c.word[1])
           from regexp_matches(regexp_replace(regexp_replace(p.prosrc, '--[^\\n]*', '', 'g'), '''[^'']*''', '', 'g'),
                               '(?<![\\w.])([a-z_]+)\\(', 'g') c(word)
          where c.word[1] in (select proname from pg_proc where pronamespace = 'pg_catalog'::regnamespace)) as calls
       from pg_proc p
      where p.pronamespace = any ('{pgq,pgq_coop,pgq_ext,pgq_node,londiste}'::regnamespace[])
        and not exists (select from unnest(p.proconfig) s where s ~ '^search_path=')
      order by 1`,
  );
  deepEqual(
    open.filter(({ calls }) => calls !== null),
    [],
  );
  const definers = await db.query(
    `select p.oid::regprocedure::text as name from pg_proc p
      where p.pronamespace = any ('{pgq,pgq_coop,pgq_ext,pgq_node,londiste}'::regnamespace[]) and p.prosecdef
        and not exists (select from unnest(p.proconfig) s where s ~ '^search_path=')`,
  );
  deepEqual(definers, [{ name: "pgq.insert_event(text,text,text,text,text,text,text)" }]);
  equal(open.length > 20, true);
});
