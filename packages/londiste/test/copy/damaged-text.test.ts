import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Database, pipeCopy } from "@skytools/skytools";
import { type Cluster, moduleDatabase, startCluster } from "@skytools/testbed";
import { applyBatch } from "#src/apply/apply-batch.js";
import { rowChange } from "#src/copy/copy-columns.js";
import { forwardEvents } from "#src/handler/forward-events.js";
import type { TableHandler } from "#src/handler/handler.js";
import { openApplySession, openSourceSession } from "#src/replication-session.js";
import { silentLog } from "../fixture/apply-bench.js";
import { testRegistry } from "../fixture/handler-bench.js";

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
  const copy = (handler: TableHandler) =>
    pipeCopy(
      source,
      "copy t to stdout",
      target,
      "copy t from stdin",
      rowChange({ log: silentLog, table: "public.t", handler }, columns)(),
    );
  await assert.rejects(copy({}), /invalid byte sequence for encoding "UTF8": 0xe9.*postgres on/);
  await source.rollback();
  await target.rollback();
  // A handler of one's own that changes rows does not get to see what is no text.
  await assert.rejects(copy({ copyRow: (row) => row }), /table "public\.t": text that is not valid UTF-8/);
  await source.rollback();
  await target.rollback();
  await copy({ repairsText: true });
  assert.deepEqual(await target.query("select v from t order by id"), [{ v: "x\ufffd" }, { v: "très" }]);
  assert.match(silentLog.lines.join("\n"), /Fixed invalid UTF8 in column <public\.t\.v>/);
});

test("events with such text, few and many: refused with their ids, or repaired where the handler is told to", async () => {
  await cluster.query(
    `create table ev (ev_id int8, ev_time timestamptz default now(), ev_txid int8 default 1, ev_retry int4, ev_type text, ev_data text,
       ev_extra1 text default 'public.t', ev_extra2 text, ev_extra3 text, ev_extra4 text);
     insert into ev (ev_id, ev_type, ev_data)
     select g, '{"op":"INSERT","table":["public","t"],"pkey":["id"]}', '{"id":' || g || case g when 50 then E',"v":"x\\xe9"}' else ',"v":"très"}' end
       from generate_series(11, 100) g`,
    [],
    "damaged",
  );
  await using source = await Database.open(cluster.connstr("damaged"));
  await using target = await Database.open(cluster.connstr());
  await openSourceSession(source);
  const registry = await testRegistry("");
  const apply = async (where: string, args: readonly string[]) => {
    const spec = { name: "londiste", arguments: new Map(args.map((name) => [name, "utf8"])) };
    const handler = registry.create(spec, { name: "public.t", destination: "public.t" });
    try {
      await applyBatch({
        source,
        target,
        log: silentLog,
        batchId: 1n,
        tickId: 2n,
        tickTime: "2026-01-01",
        queueName: "q",
        eventQuery: `select * from ev where ${where} order by 1`,
        expectedEvents: 1,
        tables: new Map([["public.t", { name: "public.t", destination: "public.t" }]]),
        handlers: new Map(args.length === 0 ? [] : [["public.t", handler]]),
        onControlEvent: async () => {},
      });
      await target.commit();
    } finally {
      await source.rollback();
      await target.rollback();
    }
  };
  for (const where of ["ev_id = 50", "ev_id in (49, 50)", "true"]) {
    await target.execute("truncate t");
    await target.commit();
    await assert.rejects(apply(where, []), (error: Error & { hint?: string }) => {
      assert.match(
        error.message,
        /^\[ev_id=50,ev_txid=1\] text that is not valid UTF-8 \(insert on table "public\.t"/,
      );
      assert.match(error.hint ?? "", /encoding=utf8/);
      return true;
    });
    silentLog.lines.length = 0;
    await apply(where, ["encoding"]);
    assert.deepEqual(await target.query("select v from t where id = 50"), [{ v: "x\ufffd" }]);
    await target.commit();
    assert.equal(
      silentLog.lines.filter((line) => line.includes("Fixed invalid UTF8 in column <public.t.v>")).length,
      1,
    );
  }
});

test("events of other tables go on to a combined queue with the bytes that they have, or replay stops", async () => {
  await cluster.query(
    `create table merged (ev_id int8, ev_time timestamptz default now(), ev_txid int8 default 1, ev_retry int4, ev_type text default 'I',
       ev_data text, ev_extra1 text, ev_extra2 text, ev_extra3 text, ev_extra4 text);
     insert into merged (ev_id, ev_data, ev_extra1)
     values (1, 'hidden', 'public.secret'), (2, E'très\\\\ \t\n', 'public.other'), (3, E'x\\xe9', 'public.other'), (4, E'x\\xe9', 'public.secret')`,
    [],
    "damaged",
  );
  const connstr = await moduleDatabase(cluster, ["pgq"], "merging");
  await cluster.query("select pgq.create_queue('c')", [], "merging");
  await using source = await Database.open(cluster.connstr("damaged"));
  await using target = await Database.open(connstr);
  await openSourceSession(source);
  await openApplySession(target);
  const forward = async (where: string, handler: TableHandler) => {
    try {
      await forwardEvents({
        source,
        target,
        copyTo: { queueName: "c", kind: "merge" },
        mergeFilter: where,
        eventQuery: async (condition) => `select * from merged where ${condition} order by 1`,
        handlers: new Map([["public.secret", handler]]),
      });
      return await target.query<{ data: string }>(
        "select ev_data as data from pgq.event_template order by ev_id",
      );
    } finally {
      await source.rollback();
      await target.rollback();
    }
  };
  const hides: TableHandler = { forward: async () => (event) => ({ ...event, data: `not ${event.data}` }) };
  assert.deepEqual(await forward("ev_id <= 2", hides), [{ data: "not hidden" }, { data: "très\\ \t\n" }]);
  for (const [id, handler] of [
    [3, hides],
    [3, { ...hides, repairsText: true }],
    [4, hides],
  ] as const) {
    await assert.rejects(
      forward(`ev_id <= 2 or ev_id = ${id}`, handler),
      (error: Error & { hint?: string }) => {
        assert.match(
          error.message,
          new RegExp(`not valid UTF-8 cannot go on to queue "c": event ${id} of table "public\\.`),
        );
        assert.match(error.hint ?? "", /encoding=utf8/);
        return true;
      },
    );
  }
  assert.deepEqual(await forward("ev_id = 4", { ...hides, repairsText: true }), [{ data: "not x\ufffd" }]);
});
