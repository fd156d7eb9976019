import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Database, pipeCopy } from "@skytools/skytools";
import { type Cluster, startCluster } from "@skytools/testbed";
import { rowChange } from "#src/copy/copy-columns.js";
import { openSourceSession } from "#src/replication-session.js";

let cluster: Cluster;

before(async () => {
  cluster = await startCluster();
  await cluster.query("create database damaged template template0 encoding 'SQL_ASCII' locale 'C'");
  await cluster.query("create table t (id int, v text)");
  await cluster.query(
    "create table t (id int, v text); insert into t values (1, E'x\\xe9'), (2, 'très')",
    [],
    "damaged",
  );
});

after(async () => {
  await cluster[Symbol.asyncDispose]();
});

test("text that is none, out of a database without encoding: refused where it would be stored, or repaired on its way", async () => {
  await using source = await Database.open(cluster.connstr("damaged"));
  await using target = await Database.open(cluster.connstr());
  await openSourceSession(source);
  const columns = ["id", "v"].map((name) => ({ source: name, target: name }));
  const copy = (handler: Parameters<typeof rowChange>[0]) =>
    pipeCopy(source, "copy t to stdout", target, "copy t from stdin", rowChange(handler, columns));
  await assert.rejects(copy({}), /invalid byte sequence for encoding "UTF8": 0xe9.*postgres on/);
  await source.rollback();
  await target.rollback();
  await copy({ copyRow: (row) => row });
  assert.deepEqual(await target.query("select v from t order by id"), [{ v: "x\ufffd" }, { v: "très" }]);
});
