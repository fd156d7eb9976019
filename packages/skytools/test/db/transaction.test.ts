import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startCluster, waitFor } from "@skytools/testbed";
import { Database, DatabaseError } from "#src/index.js";
import { databaseFailure } from "../fixture/database-failure.ts";

const cluster = await startCluster();
after(() => cluster[Symbol.asyncDispose]());
const connstr = await cluster.createDatabase("main");

test("the first statement opens a transaction, commit and rollback end it, outside they do nothing", async () => {
  await using db = await Database.open(connstr);
  await using other = await Database.open(connstr, { autocommit: true });
  await other.execute("create table tx(id int)");
  await db.commit();
  await db.rollback();
  assert.equal(db.inTransaction, false);
  await db.query("insert into tx values ($1)", [1]);
  assert.equal(db.inTransaction, true);
  await db.execute("insert into tx values (2); insert into tx values (3)");
  assert.equal(await other.queryValue("select count(*) from tx"), 0n);
  await db.commit();
  assert.equal(await other.queryValue("select count(*) from tx"), 3n);
  await db.query("delete from tx");
  await db.rollback();
  assert.equal(await other.queryValue("select count(*) from tx"), 3n);
  assert.equal(other.inTransaction, false);
});

test("closing without commit rolls back", async () => {
  await using other = await Database.open(connstr, { autocommit: true });
  await other.execute("create table closed(id int)");
  const db = await Database.open(connstr);
  await db.query("insert into closed values (1)");
  await db.close();
  await db.close();
  assert.equal(db.isBroken, true);
  assert.equal(await other.queryValue("select count(*) from closed"), 0n);
  await assert.rejects(
    db.query("select 1"),
    databaseFailure(undefined, /^connection lost: connection was closed \(main on /),
  );
});

test("the isolation level is the one asked for, with and without parameters in the first statement", async () => {
  for (const isolation of ["read committed", "repeatable read", "serializable"] as const) {
    await using db = await Database.open(connstr, { isolation });
    const sql = "select current_setting('transaction_isolation')";
    assert.equal(await db.queryValue(sql), isolation);
    await db.commit();
    assert.equal(await db.queryValue(`${sql} where $1`, [true]), isolation);
    assert.equal(db.inTransaction, true);
  }
});

test("transaction() commits, or rolls back and rethrows, also in autocommit", async () => {
  for (const autocommit of [false, true]) {
    await using db = await Database.open(connstr, { autocommit });
    await db.transaction(() => db.execute("drop table if exists t2; create table t2(id int)"));
    assert.equal(db.inTransaction, false);
    await assert.rejects(
      db.transaction(async () => {
        await db.query("insert into t2 values ($1)", [1]);
        assert.equal(db.inTransaction, true);
        throw new Error("changed my mind");
      }),
      /changed my mind/,
    );
    assert.equal(db.inTransaction, false);
    const result = await db.transaction(async () => {
      await db.execute("insert into t2 values (2)");
      return "kept";
    });
    assert.equal(result, "kept");
    assert.deepEqual(await db.query("select id from t2"), [{ id: 2 }]);
    await db.commit();
    await assert.rejects(
      db.transaction(() => db.transaction(async () => undefined)),
      databaseFailure(undefined, /transaction\(\) within transaction\(\)/),
    );
  }
});

test("autocommitted() makes each statement a transaction of its own", async () => {
  await using db = await Database.open(connstr);
  await db.execute("drop table if exists t3; create table t3(id int)");
  const rejected = db.autocommitted(async () => {
    assert.equal(db.inTransaction, false);
    await db.query("insert into t3 values ($1)", [1]);
    assert.equal(db.inTransaction, false);
    await db.query("select 1 / 0");
  });
  await assert.rejects(rejected, databaseFailure("22012", /division by zero/));
  await db.rollback();
  assert.deepEqual(await db.query("select id from t3"), [{ id: 1 }]);
  assert.equal(db.inTransaction, true);
});

test("a swallowed error in transaction() is not a silent success", async () => {
  await using db = await Database.open(connstr);
  await assert.rejects(
    db.transaction(async () => {
      await db.query("select 1 / 0").catch(() => undefined);
    }),
    databaseFailure(undefined, /commit of a failed transaction/),
  );
});

test("a transaction that is lost with its session is not committed in silence", async () => {
  await using db = await Database.open(connstr, { applicationName: "loses_it" });
  await db.execute("create table if not exists lost_with_session (id int)");
  await db.commit();
  await db.execute("insert into lost_with_session values (1)");
  await cluster.terminateBackends({ applicationName: "loses_it" });
  await waitFor("the session to be gone", () => db.isBroken);
  await assert.rejects(db.commit(), (error) => error instanceof DatabaseError && error.retry === "reconnect");
  await db.rollback();
});
