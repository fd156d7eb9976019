import { deepEqual, equal, rejects } from "node:assert/strict";
import { test } from "node:test";
import type { Database } from "@skytools/skytools";
import { databaseFixture, type Session } from "../fixture.ts";
import { EventLog } from "../trigger/event-log.ts";

const fixture = databaseFixture(["pgq"]);
let count = 0;

interface Roles {
  readonly session: Session;
  /** owns table app.t, is a pgq_writer, no superuser */
  readonly owner: Database;
  /** may change app.t, nothing else */
  readonly clerk: Database;
  readonly clerkName: string;
}

async function roles(): Promise<Roles> {
  const session = await fixture.database();
  const suffix = `${process.pid}_${++count}`;
  await session.db.execute(`select pgq.create_queue('q');
    create role owner_${suffix} login in role pgq_writer; create role clerk_${suffix} login;
    create schema app authorization owner_${suffix}`);
  const owner = await session.another({ user: `owner_${suffix}` });
  const clerkName = `clerk_${suffix}`;
  await owner.execute(`create table app.t (id int primary key, v text); grant usage on schema app to ${clerkName};
    grant select, insert, update, delete on app.t to ${clerkName}`);
  return { session, owner, clerk: await session.another({ user: clerkName }), clerkName };
}

test("the owner of a table who is a pgq_writer creates, changes and drops captures", async () => {
  const { session, owner } = await roles();
  for (const form of ["set", "row"]) {
    equal(
      await owner.queryValue(`select pgq.create_capture('app.t', 'cap', 'q', i_form => '${form}')`),
      form,
    );
    await owner.execute(
      "insert into app.t values (1, 'a'); update app.t set v = 'b'; delete from app.t; truncate app.t",
    );
  }
  equal(await session.db.queryValue("select count(*) from pgq.event_1"), 8n);
  equal(
    await session.db.queryValue(
      "select count(*) from pg_proc p, aclexplode(p.proacl) a where proname ~ '^capture_' and a.grantee <> p.proowner",
    ),
    0n,
    "no right on the generated functions is left",
  );
  equal(await owner.queryValue("select pgq.drop_capture('app.t', 'cap')"), 2);
});

test("who may change the table needs no right on the queue", async () => {
  const { session, owner, clerk } = await roles();
  for (const form of ["set", "row"]) {
    await owner.execute(`select pgq.create_capture('app.t', 'cap', 'q', i_form => '${form}')`);
    await clerk.execute("insert into app.t values (1, 'a'); update app.t set v = 'b'; delete from app.t");
    await owner.execute("alter table app.t add column more int");
    await clerk.execute("insert into app.t values (2, 'a', 5); update app.t set v = 'c'; delete from app.t");
    await owner.execute("alter table app.t drop column more");
  }
  equal(await session.db.queryValue("select count(*) from pgq.event_1"), 12n);
  equal(await session.db.queryValue("select count(*) from pgq.event_1 where ev_data ~ 'more'"), 6n);
});

test("with the trigger functions, whoever changes the table has to be a pgq_writer", async () => {
  const { session, owner, clerk, clerkName } = await roles();
  await owner.execute(`create trigger j after insert or update or delete on app.t for each row
    execute function pgq.jsontriga('q', 'ev_extra3=current_user')`);
  await rejects(
    clerk.execute("insert into app.t values (1, 'a')"),
    /permission denied for function insert_event/,
  );
  await session.db.execute(`grant pgq_writer to ${clerkName}`);
  await clerk.execute("insert into app.t values (1, 'a')");
  await clerk.execute("insert into app.t values (2, 'a')");
  await session.db.execute(`revoke pgq_writer from ${clerkName}`);
  await rejects(
    clerk.execute("insert into app.t values (3, 'a')"),
    /permission denied for function insert_event/,
  );
  deepEqual(await session.db.query("select ev_extra3 from pgq.event_1"), [
    { ev_extra3: clerkName },
    { ev_extra3: clerkName },
  ]);
});

test("expressions of a capture run as whoever changes the table", async () => {
  const { session, owner, clerk, clerkName } = await roles();
  await owner.execute(`select pgq.create_capture('app.t', 'cap', 'q', i_args => '{ev_extra3=current_user}')`);
  await rejects(
    clerk.execute("insert into app.t values (1, 'a')"),
    /permission denied for function insert_event/,
  );
  await session.db.execute(`grant pgq_writer to ${clerkName}`);
  await clerk.execute("insert into app.t values (1, 'a')");
  equal(await session.db.queryValue("select ev_extra3 from pgq.event_1"), clerkName);
});

test("only the owner of a table captures it, and only as a pgq_writer", async () => {
  const { session, owner, clerk, clerkName } = await roles();
  await rejects(
    clerk.execute("select pgq.create_capture('app.t', 'cap', 'q')"),
    /permission denied for function create_capture/,
  );
  await rejects(
    clerk.execute("select pgq.drop_capture('app.t', 'cap')"),
    /permission denied for function drop_capture/,
  );
  await rejects(
    clerk.execute("select pgq.refresh_captures()"),
    /permission denied for function refresh_captures/,
  );
  await session.db.execute(`grant pgq_writer to ${clerkName}`);
  await rejects(
    clerk.execute("select pgq.create_capture('app.t', 'cap', 'q')"),
    /permission denied for table t|must be owner/,
  );
  await owner.execute("select pgq.create_capture('app.t', 'cap', 'q')");
  await rejects(clerk.execute("select pgq.drop_capture('app.t', 'cap')"), /must be owner/);
});

test("nobody attaches or replaces the capture function of somebody else's table", async () => {
  const { session, owner, clerk, clerkName } = await roles();
  await owner.execute("select pgq.create_capture('app.t', 'cap', 'q')");
  await session.db.execute(`grant pgq_writer to ${clerkName}; create schema mine authorization ${clerkName}`);
  const name = await session.db.queryValue<string>("select function_name from pgq.get_capture_info()");
  await clerk.execute("create table mine.t (id int primary key, v text)");
  await rejects(
    clerk.execute(
      `create trigger x after insert on mine.t for each row execute function ${name}('q', 'ev_extra1=evil()')`,
    ),
    /permission denied for function/,
  );
  const source = "select prosrc from pg_proc where proname ~ '^capture_json_\\d+$'";
  const before = await session.db.queryValue(source);
  await clerk.execute(
    `select pgq._install_capture('app.t'::regclass, 'json', '{q,ev_extra1=evil()}', false, current_user)`,
  );
  await clerk.execute(`select pgq._capture_renew('${name?.slice(4)}')`);
  equal(await session.db.queryValue(source), before);
  equal(
    await clerk.queryValue(
      `select pgq._compile_row_function('json', 'app.t'::regclass, '{q,ev_extra1=evil()}')`,
    ),
    false,
    "no such trigger on the table",
  );
});

test("objects on the search path of whoever changes the table are not used by code that runs as the queue's owner", async () => {
  const { session, owner, clerk, clerkName } = await roles();
  await session.db.execute(`create schema evil authorization ${clerkName}`);
  await clerk.execute(`create table evil.stolen (who name);
    grant insert on evil.stolen to public; grant usage on schema evil to public`);
  const body = "language plpgsql as $$ begin insert into evil.stolen values (current_user);";
  for (const type of ["int4", "text", "name", "bool", "oid", "timestamptz"]) {
    for (const [operator, name] of [
      ["=", "eq"],
      ["<>", "ne"],
      ["||", "cat"],
      [">", "gt"],
    ]) {
      const result = name === "cat" ? "text" : "bool";
      await clerk.execute(`create function evil.${name}(a ${type}, b ${type}) returns ${result} ${body} return null; end $$;
        create operator evil.${operator} (function = evil.${name}, leftarg = ${type}, rightarg = ${type})`);
    }
  }
  for (const call of [
    "now()",
    'concat(variadic a "any")',
    "current_setting(a text)",
    "current_setting(a text, b bool)",
    "to_json(a anyelement)",
    "textin(a cstring)",
    "replace(a text, b text, c text)",
    'num_nulls(variadic a "any")',
    "row_number()",
    "left(a text, b int)",
    "strpos(a text, b text)",
    "int4out(a int)",
    "set_config(a text, b text, c bool)",
  ]) {
    const signature = call.replace('variadic a "any"', "variadic a text[]").replace("a cstring", "a text");
    await clerk.execute(`create function evil.${signature} returns ${call.startsWith("to_json") ? "json" : "text"}
      ${body} return null; end $$`);
  }
  for (const args of ["'json'", "'urlenc'", "'json', i_form => 'row'", "'sql'"]) {
    await owner.execute(`select pgq.create_capture('app.t', 'cap', 'q', ${args})`);
    await clerk.execute(`set search_path = evil, app, pg_catalog;
      insert into t values (1, 'a b/'), (2, 'é'); update t set v = 'c'; update t set id = 5 where id operator(pg_catalog.=) 1;
      with d as (delete from t returning *) insert into t select * from d limit 1; reset search_path`);
    await owner.execute("alter table app.t add column more int");
    await clerk.execute(`set search_path = evil, app, pg_catalog; delete from t; reset search_path`);
    await owner.execute("alter table app.t drop column more");
  }
  deepEqual(await clerk.query("select distinct who from evil.stolen"), []);
  const log = new EventLog(session.db);
  equal((await log.added()).length > 20, true);
});
