import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Database } from "@skytools/skytools";
import { installedVersion, installModules, moduleCatalog, moduleSql, uninstallSql } from "@skytools/sql";
import { temporaryDirectory } from "@skytools/testbed";
import { databaseFixture } from "./fixture.ts";

const fixture = databaseFixture([]);

async function functionGrants(db: Database): Promise<object[]> {
  return db.query(`select oid::regprocedure::text, array(select a::text from unnest(proacl) a order by 1) as acl, md5(prosrc) from pg_proc
                    where pronamespace::regnamespace::text ~ '^(pgq|londiste)' order by 1`);
}

test("modules come with those that they require, in order", async () => {
  const { db } = await fixture.emptyDatabase();
  equal(await installedVersion(db, "pgq"), undefined);
  await installModules(db, ["londiste", "pgq_coop"]);
  for (const name of ["pgq", "pgq_node", "londiste", "pgq_coop"] as const) {
    equal(
      await installedVersion(db, name),
      (await moduleCatalog()).find((entry) => entry.name === name)?.version,
    );
  }
  equal(await installedVersion(db, "pgq_ext"), undefined);
});

test("installing again changes nothing and keeps queues and grants", async () => {
  const { db } = await fixture.emptyDatabase();
  await installModules(db, ["londiste", "pgq_coop", "pgq_ext"]);
  await db.execute("select pgq.create_queue('q'); select pgq.insert_event('q', 't', 'd')");
  await db.execute("create role custom; grant execute on function pgq.ticker() to custom");
  const before = await functionGrants(db);
  await installModules(db, ["londiste", "pgq_coop", "pgq_ext"]);
  for (const { name } of await moduleCatalog()) await db.execute(await moduleSql(name));
  deepEqual(await functionGrants(db), before);
  equal(await db.queryValue("select count(*) from pgq.event_1"), 1n);
});

test("twenty installations at once, in one database and over the cluster's roles", async () => {
  const [one, two] = [await fixture.emptyDatabase(), await fixture.emptyDatabase()];
  await one.db
    .execute("drop role if exists pgq_admin, pgq_reader, pgq_writer, londiste_reader, londiste_writer")
    .catch(
      // Other databases of this cluster may depend on them.
      () => undefined,
    );
  const sessions = await Promise.all(
    Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? one : two).another()),
  );
  await Promise.all(sessions.map((session) => installModules(session, ["londiste", "pgq_coop"])));
  ok(await installedVersion(one.db, "londiste"));
  ok(await installedVersion(two.db, "londiste"));
});

test("a newer version is not replaced", async () => {
  const { db } = await fixture.emptyDatabase();
  await installModules(db, ["pgq"]);
  for (const newer of ["99.0", "4.0.0.1", "4.10.0"]) {
    await db.execute(
      `create or replace function pgq.version() returns text language sql as $$ select '${newer}' $$`,
    );
    await rejects(
      installModules(db, ["pgq"]),
      (error: { code?: string; message: string }) =>
        error.code === "MODULE_NEWER" && error.message.includes(newer) && error.message.includes(db.label),
    );
    await rejects(db.execute(await moduleSql("pgq")), /has module pgq .* which is newer than 4\.0\.0/);
    await db.rollback();
    equal(await installedVersion(db, "pgq"), newer);
  }
  for (const older of ["3.5.2", "3.9", "4.0"]) {
    await db.execute(
      `create or replace function pgq.version() returns text language sql as $$ select '${older}' $$`,
    );
    await installModules(db, ["pgq"]);
    equal(await installedVersion(db, "pgq"), "4.0.0");
  }
  await db.execute(
    "create or replace function pgq.version() returns text language sql as $$ select null::text $$",
  );
  equal(await installedVersion(db, "pgq"), "unknown");
  await installModules(db, ["pgq"]);
});

test("an upgrade renews what an older release has generated for a table", async () => {
  const { db } = await fixture.emptyDatabase();
  await installModules(db, ["pgq"]);
  await db.execute("select pgq.create_queue('q'); create table captured (id int primary key)");
  await db.execute("select pgq.create_capture('captured', 'capture', 'q', i_form => 'row')");
  const source = () =>
    db.queryOne<{ name: string; text: string }>(
      "select p.oid::regproc::text as name, p.prosrc as text from pg_proc p join pg_trigger t on t.tgfoid = p.oid where t.tgname = 'capture'",
    );
  const { name, text } = await source();
  await db.execute(`create or replace function ${name}() returns trigger language plpgsql as 'begin return new; end';
    create or replace function pgq.version() returns text language sql as $$ select '3.5.2' $$`);
  await installModules(db, ["pgq"]);
  equal((await source()).text, text);
});

test("a module without those that it requires says so", async () => {
  const { db } = await fixture.emptyDatabase();
  await rejects(
    db.execute(await moduleSql("pgq_coop")),
    /module pgq_coop needs module pgq in database empty/,
  );
});

test("an owner of a database needs no superuser, if roles exist or may be created", async () => {
  const { db, connstr } = await fixture.emptyDatabase();
  await db.execute("create role owner login createrole; create role plain login");
  await db.execute("create database owned owner owner");
  await db.execute("create database plain_owned owner plain");
  const connect = (name: string, user: string): Promise<Database> =>
    Database.open(connstr.replace(/dbname=\S+/, `dbname=${name}`).replace(/ user=\S+/, ` user=${user}`), {
      autocommit: true,
    });
  for (const [name, user] of [
    ["owned", "owner"],
    ["plain_owned", "plain"],
  ] as const) {
    await using session = await connect(name, user);
    await installModules(session, ["pgq", "pgq_coop", "pgq_ext"]);
    equal(await session.queryValue("select pgq.create_queue('q')"), 1);
    equal(await session.queryValue("select pgq.insert_event('q', 't', 'd')"), 1n);
    await session.execute("update pgq.queue set queue_rotation_period = '0'");
    await session.execute("select pgq.maint_rotate_tables_step1('q')");
    equal(await session.queryValue("select pgq.drop_queue('q')"), 1);
  }
});

test("a missing role that may not be created is named with what to do", async () => {
  const { db, another } = await fixture.emptyDatabase();
  await installModules(db, ["pgq"]);
  await db.execute(`create role beggar login; alter function pgq._ensure_role(text) owner to beggar;
                    grant usage on schema pgq to beggar`);
  const beggar = await another({ user: "beggar" });
  await rejects(
    beggar.query("select pgq._ensure_role('no_such_role')"),
    (error: { hint?: string; message: string }) =>
      /role no_such_role does not exist, and beggar may not create it/.test(error.message) &&
      error.hint === "Let an administrator run: create role no_such_role nologin;",
  );
});

test("modules are removed, those that others need only after these", async () => {
  const { db } = await fixture.emptyDatabase();
  await installModules(db, ["londiste", "pgq_coop", "pgq_ext"]);
  await rejects(db.execute(await uninstallSql("pgq")), /cascaded nodes need it/);
  await db.rollback();
  await rejects(db.execute(await uninstallSql("pgq_node")), /londiste needs it/);
  await db.rollback();
  for (const name of ["londiste", "pgq_node", "pgq_coop", "pgq_ext", "pgq"] as const) {
    await db.execute(await uninstallSql(name));
    equal(await installedVersion(db, name), undefined);
    await db.execute(await uninstallSql(name));
  }
  equal(await db.queryValue("select count(*) from pg_roles where rolname like 'pgq\\_%'"), 3n);
  await installModules(db, ["pgq"]);
});

test("an upgrade file takes an older release, with its grants, and refuses a database without the module", async () => {
  const { db } = await fixture.emptyDatabase();
  const file = new URL("pgq_ext.upgrade.sql", import.meta.resolve("@skytools/sql"));
  const sql = readFileSync(file, "utf8");
  await rejects(db.execute(sql), /database empty\d+ has no module pgq_ext to upgrade/);
  await db.rollback();
  await installModules(db, ["pgq_ext"]);
  await db.execute(`
    create or replace function pgq_ext.version() returns text language sql as $$ select '3.0'::text $$;
    drop function pgq_ext.get_last_tick(text), pgq_ext.is_batch_done(text, bigint);
    create function pgq_ext.get_last_tick(x_consumer text default '') returns int4 language sql as 'select 1';
    create function pgq_ext.is_batch_done(a_consumer text, a_batch_id int8, out is_done int4) language sql as 'select 1';
    create role "Own role"; grant execute on function pgq_ext.get_last_tick(text) to "Own role"`);
  await db.execute(sql);
  equal(await installedVersion(db, "pgq_ext"), "4.0.0");
  equal(await db.queryValue("select pgq_ext.get_last_tick('nobody')"), null);
  equal(
    await db.queryValue(
      `select has_function_privilege('Own role', 'pgq_ext.get_last_tick(text)', 'execute')`,
    ),
    true,
  );
});

test("the built files are the same at every build", async () => {
  const main = fileURLToPath(new URL("build/main.js", import.meta.resolve("@skytools/sql")));
  const build = async (): Promise<Map<string, string>> => {
    await using target = await temporaryDirectory("sql-build");
    execFileSync(process.execPath, [main, target.path]);
    return new Map(
      readdirSync(target.path).map((name) => [name, readFileSync(join(target.path, name), "utf8")]),
    );
  };
  const files = await build();
  deepEqual(await build(), files);
  for (const { name } of await moduleCatalog()) {
    const text = files.get(`${name}.sql`)!;
    ok(text.includes("\nbegin;\n") && text.endsWith("\ncommit;\n"), name);
  }
});
