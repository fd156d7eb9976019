import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { Config, Database, Databases, type Job } from "@skytools/skytools";
import { type Cluster, moduleDatabase, startCluster, waitFor } from "@skytools/testbed";
import { CopyProgress } from "#src/copy/copy-progress.js";
import { copySourceNode } from "#src/copy/copy-source.js";
import { copyTable } from "#src/copy/table-copy.js";
import { HandlerRegistry } from "#src/handler/handler-registry.js";
import type { ReplicatedTable } from "#src/londiste-api.js";
import { londisteConfig } from "#src/londiste-config.js";
import { openSourceSession } from "#src/replication-session.js";
import { findCopyNode, isShared, partialSource } from "#src/table/copy-node.js";
import { silentLog } from "../fixture/apply-bench.js";
import { testRegistry } from "../fixture/handler-bench.js";

const rowCount = 1000;
let cluster: Cluster;

before(async () => {
  cluster = await startCluster();
  await cluster.createDatabase("source");
  await cluster.createDatabase("target");
  await cluster.query("create role reader login", []);
});

after(async () => {
  await cluster[Symbol.asyncDispose]();
});

beforeEach(async () => {
  for (const name of ["source", "target"]) {
    await cluster.query("drop table if exists goods", [], name);
    await cluster.query("create table goods (id int primary key, price int)", [], name);
  }
  await cluster.query(`insert into goods select g, g from generate_series(1, ${rowCount}) g`, [], "source");
});

/** Copies the table as this user of the source. */
async function copyGoods(
  user: string,
  beforeStream?: (nr: number) => Promise<void>,
  storedDdl: string | null = null,
  stored: (string | null)[] = [],
  isJoining = false,
) {
  const connstr = cluster.connstr("source").replace(/ user=\S+/, ` user=${user}`);
  const source = await Database.open(connstr, { isolation: "repeatable read" });
  const target = await Database.open(cluster.connstr("target"));
  const progress = new CopyProgress({
    log: silentLog,
    connect: () => Promise.reject(new Error("not told")),
    queueName: "q",
    table: "public.goods",
    sourceNode: "root",
  });
  const streams: Database[] = [];
  try {
    await openSourceSession(source);
    const copied = await copyTable({
      source,
      target,
      log: silentLog,
      table: "public.goods",
      sourceTable: "public.goods",
      destination: "public.goods",
      skipsTruncate: false,
      handler: {},
      waitForScripts: async () => {},
      storedDdl,
      storeDdl: async (ddl) => void stored.push(ddl),
      others: { exist: async () => isJoining, haveRows: async () => isJoining },
      streams: {
        count: beforeStream === undefined ? 1 : 3,
        minBytes: 0n,
        open: async (nr) => {
          await beforeStream?.(nr);
          const stream = {
            source: await Database.open(connstr, { isolation: "repeatable read" }),
            target: await Database.open(cluster.connstr("target")),
          };
          streams.push(stream.source, stream.target);
          return stream;
        },
      },
      progress,
    });
    await target.commit();
    return { ...copied, stored };
  } finally {
    for (const session of streams) await session.close();
    await progress.end("ended");
    await source.close();
    await target.close();
  }
}

test("a source table that is rewritten while the copy waits for its target is not copied as an empty one", async () => {
  const user = await Database.open(cluster.connstr("target"));
  await user.execute("lock table goods in access share mode");
  const copy = copyGoods("postgres");
  await waitFor("the copy to wait for the target's table", async () => {
    const rows = await cluster.query(
      "select from pg_locks where not granted and locktype = 'relation'",
      [],
      "target",
    );
    return rows.length > 0;
  });
  const ddl = await Database.open(cluster.connstr("source"), { autocommit: true });
  await assert.rejects(
    ddl.execute("set lock_timeout = '200ms'; alter table goods alter column price type int8"),
    /lock timeout/,
  );
  await ddl.close();
  await user.close();
  assert.equal((await copy).rows, BigInt(rowCount));
});

test("a row security policy that hides rows from the copy is an error, not a smaller table", async () => {
  const policy = `alter table goods enable row level security; grant select on goods to reader;
    create policy half on goods for select using (id <= ${rowCount / 2})`;
  const owner = await Database.open(cluster.connstr("source"), { autocommit: true });
  await owner.execute(policy);
  await owner.close();
  await assert.rejects(copyGoods("reader"), /row-level security/);
});

const target = (sql: string) => cluster.query(sql, [], "target");

test("streams read one snapshot, each row once, whatever is written meanwhile", async () => {
  await target("insert into goods values (7777, 0)");
  const { rows, stored } = await copyGoods("postgres", async (nr) => {
    await cluster.query(`insert into goods values (${5000 + nr}, 0)`, [], "source");
    await cluster.query(`delete from goods where id = ${nr}`, [], "source");
  });
  assert.equal(rows, BigInt(rowCount));
  const found =
    "select count(*)::int as rows, sum(id)::int as sum, min(id) as first, max(id) as last from goods";
  const sum = (rowCount * (rowCount + 1)) / 2;
  assert.deepEqual(await target(found), [{ rows: rowCount, sum, first: 1, last: rowCount }]);
  assert.deepEqual(stored, ["", null]);
});

test("a stream that comes when the table was emptied for another attempt writes nothing", async () => {
  // Before any stream has the table: emptying it would wait for that one, and it for the others.
  let emptying: Promise<unknown> | undefined;
  const emptied = copyGoods("postgres", async () => {
    emptying ??= target("truncate goods; insert into goods values (1, 1)");
    await emptying;
  });
  await assert.rejects(emptied, /public\.goods was emptied by somebody else/);
  assert.deepEqual(await target("select id from goods"), [{ id: 1 }]);
});

const indexes = `select pg_get_indexdef(i.indexrelid) as index, pg_get_constraintdef(c.oid) as key
  from pg_index i left join pg_constraint c on c.conindid = i.indexrelid
  where i.indrelid = 'goods'::regclass order by i.indexrelid::regclass::text`;

test("indexes of one table are built at once, and keys are made of them", async () => {
  // A build ends only when another one is under way beside it.
  await target(`create or replace function meet(own int, other int) returns int immutable language plpgsql as $$ begin
      perform pg_advisory_lock(own);
      for i in 1..3000 loop
        if exists (select from pg_locks where locktype = 'advisory' and objid = other and classid = 0) then return own; end if;
        perform pg_sleep(0.01);
      end loop;
      raise exception 'nobody else builds an index'; end $$`);
  await target(`create unique index on goods (price) include (id);
    alter table goods add constraint both_columns unique (price, id) deferrable initially deferred;
    create index on goods ((case when id = 1 then meet(id, 2) end));
    create index on goods ((case when id = 2 then meet(id, 1) end))`);
  const before = await target(indexes);
  assert.equal(before.length, 5);
  await copyGoods("postgres", async () => {}, "");
  assert.deepEqual(await target(indexes), before);
});

test("an attempt that had built only some of the indexes leaves nothing that the next one does not know", async () => {
  await target(`create or replace function refuse(price int) returns int immutable language plpgsql as $$ begin
      if price = 777 then raise exception 'not yet'; end if; return price; end $$`);
  await target(
    "create unique index by_price on goods (price); create index refusing on goods (refuse(price))",
  );
  const before = await target(indexes);
  const stored: (string | null)[] = [];
  await assert.rejects(
    copyGoods("postgres", async () => {}, "", stored),
    /not yet/,
  );
  await target(
    "create or replace function refuse(price int) returns int immutable language sql as 'select price'",
  );
  const [left] = stored;
  assert.match(
    left ?? "",
    /create unique index goods_pkey .*;\n.*add constraint goods_pkey primary key using index/i,
  );
  const built = await target("select from pg_index where indrelid = 'goods'::regclass");
  assert.notEqual(built.length, 0, "nothing was built before the failure");
  await copyGoods("postgres", async () => {}, left);
  assert.deepEqual(await target(indexes), before);
  assert.deepEqual(await target("select count(*)::int as rows from goods"), [{ rows: rowCount }]);
});

test("rows that are added to those of another queue find indexes that an attempt without these had built", async () => {
  await target("create index by_price on goods (price); create index added on goods (id, price)");
  const before = await target(indexes);
  const left = `CREATE UNIQUE INDEX goods_pkey ON public.goods USING btree (id);
    CREATE INDEX by_price ON public.goods USING btree (price);
    alter table public.goods add constraint goods_pkey primary key using index goods_pkey;`;
  await target(`alter table goods drop constraint goods_pkey; create unique index goods_pkey on goods (id);
    insert into goods values (-1, 0)`);
  await copyGoods("postgres", undefined, left, [], true);
  assert.deepEqual(await target(indexes), before);
  assert.deepEqual(await target("select count(*)::int as rows from goods"), [{ rows: rowCount + 1 }]);
});

test("a node whose handler for the table is not known here is passed over: nobody can tell whether it has all rows", async () => {
  const modules = ["pgq", "pgq_node", "londiste"];
  const near = await moduleDatabase(cluster, modules);
  const root = await moduleDatabase(cluster, modules);
  const setUp = async (connstr: string, node: string, attributes: string) => {
    await using db = await Database.open(connstr, { autocommit: true });
    await db.query("select pgq_node.register_location('q', 'near', $1, false)", [near]);
    await db.query("select pgq_node.register_location('q', 'root', $1, false)", [root]);
    await db.execute(`select pgq_node.create_node('q', ${node}, null)`);
    await db.query(
      "insert into londiste.table_info (queue_name, table_name, local, merge_state, table_attrs) values ('q', 'public.goods', true, 'ok', $1)",
      [attributes],
    );
  };
  await setUp(near, "'branch', 'near', 'worker', 'root', 100", "handler=mystery");
  await setUp(root, "'root', 'root', 'worker', null, null", "handler=londiste");
  const databases = new Databases({ setting: () => undefined, log: silentLog });
  const config = Config.parse("[londiste3]\ndb = dbname=x\n", "londiste3", { groups: [londisteConfig] });
  try {
    const found = await findCopyNode({
      job: { log: silentLog, config, databases } as unknown as Job,
      registry: await HandlerRegistry.load(config),
      queueName: "q",
      start: { name: "near", location: near },
      tables: ["public.goods"],
    });
    assert.equal(found.name, "root");
    assert.ok(silentLog.lines.includes("Node near does not have all tables"));
  } finally {
    await databases.closeAll();
  }
});

test("a node whose local table has rows of two tables of the set is no source for either", async () => {
  const registry = await testRegistry("");
  const table = (name: string, destination: string) =>
    ({ name, destination, isLocal: true, attributes: new Map() }) as unknown as ReplicatedTable;
  const [a, b, c] = [
    table("public.a", "public.ab"),
    table("public.b", "public.ab"),
    table("public.c", "public.c"),
  ];
  const tables = [a!, b!, c!];
  assert.deepEqual(
    tables.map((each) => isShared(tables, each)),
    [true, true, false],
  );
  const why = (each: ReplicatedTable) => partialSource({ log: silentLog }, registry, "branch", tables, each);
  assert.match(why(a!) ?? "", /its table public\.ab has rows of others than public\.a too/);
  assert.equal(why(c!), undefined);
});

test("no transaction of the target is open while a table waits for the provider, also where the copy node is dead", async () => {
  const connstr = await moduleDatabase(cluster, ["pgq", "pgq_node", "londiste"]);
  await using node = await Database.open(connstr);
  await node.execute(`select pgq_node.register_location('q', 'here', 'dbname=here', false),
      pgq_node.register_location('q', 'root', 'dbname=root', false), pgq_node.register_location('q', 'gone', 'dbname=gone', true);
    select pgq_node.create_node('q', 'branch', 'here', 'worker', 'root', 100, null)`);
  await node.commit();
  const place = {
    job: { log: silentLog } as unknown as Job,
    queueName: "q",
    workerName: "worker",
    consumerName: "copy",
  };
  const table = { name: "public.goods", attributes: new Map([["copy_node", "gone"]]) };
  const source = await copySourceNode(
    place,
    node,
    table as unknown as ReplicatedTable,
    {} as HandlerRegistry,
  );
  assert.deepEqual(source, { name: "root", location: "dbname=root" });
  assert.equal(node.inTransaction, false);
});
