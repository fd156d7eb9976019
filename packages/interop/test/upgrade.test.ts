import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { Database } from "@skytools/skytools";
import { installModules } from "@skytools/sql";
import {
  type Cluster,
  moduleDatabase,
  runProgram,
  startCluster,
  startProgram,
  waitFor,
} from "@skytools/testbed";
import { pgqdFile } from "./fixture/ini-file.js";
import { type Installation, originalDatabase } from "./fixture/original-modules.js";
import { original, skipWithout } from "./fixture/originals.js";
import { createRecord, PythonConsumer, readRecord } from "./fixture/python-program.js";
import { busyQueue, consumeAll, insertEvents } from "./fixture/queue.js";
import { readSurface } from "./fixture/surface.js";

const installations: readonly Installation[] = ["extension", "plain"];

describe("installing over the compiled PgQ 3.5", { skip: skipWithout("postgresql-15-pgq3") }, () => {
  for (const form of installations) {
    it(`makes of it what a new installation is (${form})`, async () => {
      await using cluster = await startCluster({ binDir: original.binDir });
      await originalDatabase(cluster, "upgraded", ["pgq"], form);
      await install(cluster, "upgraded");
      await moduleDatabase(cluster, ["pgq"], "fresh");
      const upgraded = await readSurface(cluster, "upgraded", "pgq");
      assert.deepEqual(upgraded, await readSurface(cluster, "fresh", "pgq"));
      const compiled = await cluster.query(
        `select p.oid::regprocedure as function from pg_proc p join pg_language l on l.oid = p.prolang
          where p.pronamespace = 'pgq'::regnamespace and l.lanname = 'c'`,
        [],
        "upgraded",
      );
      assert.deepEqual(compiled, []);
      assert.deepEqual(await cluster.query("select extname from pg_extension", [], "upgraded"), [
        { extname: "plpgsql" },
      ]);
    });

    it(`lets a consumer go on in the middle of its batch (${form})`, async () => {
      await using cluster = await startCluster({ binDir: original.binDir });
      const connstr = await originalDatabase(cluster, "db", ["pgq"], form);
      await busyQueue(cluster, "db");
      for (const consumer of ["reading", "open", "behind"]) {
        await cluster.query("select pgq.register_consumer('q', $1)", [consumer], "db");
      }
      const first = await insertEvents(cluster, "db", "first", 20);
      await cluster.query("select pgq.ticker()", [], "db");
      const [open] = await cluster.query("select pgq.next_batch('q', 'open') as batch", [], "db");
      await cluster.query("select pgq.event_retry($1, 7, 0)", [open!.batch], "db");
      await cluster.query("select pgq.event_retry($1, 8, 3600)", [open!.batch], "db");

      await using reader = await Database.open(connstr);
      const batch = await reader.queryValue<bigint>("select pgq.next_batch('q', 'reading')");
      await reader.commit();
      const seen = await reader.query<{ ev_data: string }>(
        "select ev_data from pgq.get_batch_cursor($1, 'walker', 5)",
        [batch],
      );
      const installation = install(cluster, "db");
      await waitFor("the installation to wait for the reader", async () => {
        const [row] = await cluster.query(
          "select count(*)::int4 as waiting from pg_locks where not granted",
          [],
          "db",
        );
        return row!.waiting === 1;
      });
      seen.push(...(await reader.query<{ ev_data: string }>("fetch all from walker")));
      assert.equal(await reader.queryValue("select pgq.finish_batch($1)", [batch]), 1);
      await reader.commit();
      await installation;
      assert.deepEqual(
        seen.map((row) => row.ev_data),
        first,
      );

      const [again] = await cluster.query("select pgq.next_batch('q', 'open') as batch", [], "db");
      assert.equal(again!.batch, open!.batch);
      const second = await insertEvents(cluster, "db", "second", 3);
      await cluster.query("select pgq.maint_retry_events()", [], "db");
      await cluster.query("select pgq.ticker()", [], "db");
      assert.deepEqual(await consumeAll(cluster, "db", "reading"), second);
      assert.deepEqual(await consumeAll(cluster, "db", "open"), [...first, first[6], ...second]);
      assert.deepEqual(await consumeAll(cluster, "db", "behind"), [...first, ...second]);
      const parked = await cluster.query("select ev_id::int4 as id from pgq.retry_queue", [], "db");
      assert.deepEqual(parked, [{ id: 8 }]);
    });
  }

  it("loses nothing and delivers nothing twice under a running ticker, producer and python consumer", {
    skip: skipWithout("postgresql-15-pgq3", "pgqd", "python3-pgq"),
  }, async () => {
    await using cluster = await startCluster({ binDir: original.binDir });
    const connstr = await originalDatabase(cluster, "db", ["pgq"]);
    await busyQueue(cluster, "db");
    await createRecord(cluster, "db");
    await using consumer = await PythonConsumer.create("plain", "recorder", {
      src_db: connstr,
      exception_sleep: 0.1,
    });
    await consumer.run("--register");
    await using ini = await pgqdFile(cluster, { database_list: "db" });
    await using daemon = startProgram(original.pgqd, [ini.file]);
    await using program = consumer.start();
    await using producer = await Database.open(connstr, { autocommit: true });

    let count = 0;
    const recorded = async () => (await readRecord(cluster, "db")).length;
    const produceUntil = async (isDone: () => boolean): Promise<void> => {
      while (!isDone()) {
        count += 1;
        const data = count % 10 === 0 ? `again ${count}` : `event ${count}`;
        await producer.query("select pgq.insert_event('q', 't', $1)", [data]);
        // A consumer that is up late, or slow, is not to have a backlog at the end.
        const isKeptUp = async () => isDone() || (await recorded()) >= count - 1000;
        if (count % 100 === 0) await waitFor("the consumer to keep up", isKeptUp);
      }
    };
    const waitForMore = async (by: number): Promise<void> => {
      const wanted = (await recorded()) + by;
      let isThere = false;
      const wait = waitFor(`${wanted} deliveries`, async () => (await recorded()) >= wanted, {
        onTimeout: () => program.outputTail() + daemon.outputTail(),
      }).finally(() => {
        isThere = true;
      });
      await Promise.all([wait, produceUntil(() => isThere)]);
    };
    await waitForMore(100);
    let isInstalled = false;
    const installation = install(cluster, "db").finally(() => {
      isInstalled = true;
    });
    await Promise.all([installation, produceUntil(() => isInstalled)]);
    await waitForMore(300);

    const total = count + Math.floor(count / 10);
    await waitFor("everything", async () => (await recorded()) >= total, {
      onTimeout: () => program.outputTail() + daemon.outputTail(),
    });
    const deliveries = (await readRecord(cluster, "db")).map((row) => `${row.ev_data}/${row.ev_retry ?? 0}`);
    const expected = Array.from({ length: count }, (_, at) => at + 1).flatMap((number) =>
      number % 10 === 0 ? [`again ${number}/0`, `again ${number}/1`] : [`event ${number}/0`],
    );
    assert.deepEqual(deliveries.toSorted(), expected.toSorted());
  });
});

describe("a database that has become ours", { skip: skipWithout("postgresql-15-pgq3") }, () => {
  it("can be dumped and restored on a server without the compiled PgQ, in the middle of a batch", async () => {
    await using source = await startCluster({ binDir: original.binDir });
    const connstr = await originalDatabase(source, "db", ["pgq", "pgq_node"]);
    await busyQueue(source, "db");
    await source.query("select pgq.register_consumer('q', 'c')", [], "db");
    const events = await insertEvents(source, "db", "first", 5);
    await source.query("select pgq.ticker()", [], "db");
    const [open] = await source.query("select pgq.next_batch('q', 'c') as batch", [], "db");
    await source.query("select pgq.event_retry($1, 3, 0)", [open!.batch], "db");
    await install(source, "db");

    const dump = await runProgram(`${original.binDir}/pg_dump`, [connstr]);
    assert.equal(dump.code, 0, dump.stderr);
    assert.doesNotMatch(dump.stdout, /create extension.*pgq|pgq_lowlevel|pgq_triggers/i);
    await using target = await startCluster();
    const restored = await target.createDatabase("restored");
    await spendTransactions(target, source);
    await target.query("create role pgq_reader; create role pgq_writer; create role pgq_admin");
    const restore = await runProgram(
      `${original.binDir}/psql`,
      ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--dbname", restored],
      { input: dump.stdout },
    );
    assert.equal(restore.code, 0, restore.stderr);
    await install(target, "restored");

    const [again] = await target.query("select pgq.next_batch('q', 'c') as batch", [], "restored");
    assert.equal(again!.batch, open!.batch);
    await insertEvents(target, "restored", "second", 2);
    await target.query("select pgq.maint_retry_events()", [], "restored");
    await target.query("select pgq.ticker()", [], "restored");
    assert.deepEqual(await consumeAll(target, "restored"), [...events, events[2], "second 1", "second 2"]);
    await busyQueue(target, "restored", "another");
  });

  it("becomes the compiled one again by its own upgrade script", async () => {
    await using cluster = await startCluster({ binDir: original.binDir });
    await moduleDatabase(cluster, ["pgq"], "db");
    await busyQueue(cluster, "db");
    await cluster.query("select pgq.register_consumer('q', 'c')", [], "db");
    const events = await insertEvents(cluster, "db", "first", 5);
    await cluster.query("select pgq.ticker()", [], "db");
    await cluster.query("select pgq.event_retry(pgq.next_batch('q', 'c'), 3, 0)", [], "db");
    await cluster.query(await readFile(`${original.contribDir}/pgq.upgrade.sql`, "utf8"), [], "db");
    const [row] = await cluster.query(
      `select l.lanname as language from pg_proc p join pg_language l on l.oid = p.prolang
        where p.oid = 'pgq.logutriga()'::regprocedure`,
      [],
      "db",
    );
    assert.equal(row!.language, "c");
    await insertEvents(cluster, "db", "second", 2);
    await cluster.query("select pgq.maint_retry_events()", [], "db");
    await cluster.query("select pgq.ticker()", [], "db");
    assert.deepEqual(await consumeAll(cluster, "db"), [...events, events[2], "second 1", "second 2"]);
    await cluster.query("select pgq.set_queue_config('q', 'rotation_period', '0')", [], "db");
    await cluster.query("select pgq.maint_rotate_tables_step1('q')", [], "db");
    await cluster.query("select pgq.maint_rotate_tables_step2()", [], "db");
    await insertEvents(cluster, "db", "third", 2);
    await cluster.query("select pgq.ticker()", [], "db");
    assert.deepEqual(await consumeAll(cluster, "db"), ["third 1", "third 2"]);
    await cluster.query("select pgq.drop_queue('q', true)", [], "db");
  });
});

/** Lets transaction numbers on the target pass those of the source, as a restore of a queue needs it.
 * Source: spec/sql-pgq.md T6 */
async function spendTransactions(target: Cluster, source: Cluster): Promise<void> {
  const current = "select txid_current()::int4 as txid";
  const [reached] = await source.query<{ txid: number }>(current);
  const [from] = await target.query<{ txid: number }>(current);
  const count = Math.max(0, reached!.txid - from!.txid);
  await target.query(
    `do $$ begin for i in 1..${count} loop perform txid_current(); commit; end loop; end $$`,
  );
}

async function install(cluster: Cluster, database: string): Promise<void> {
  await using db = await Database.open(cluster.connstr(database));
  await installModules(db, ["pgq"]);
}
