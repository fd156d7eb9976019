import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { lastingTrouble, NodeSet, type SetNode } from "../fixture/node-set.js";

/* Four partitions, each the root of a queue; two databases that are to have the rows of all, each with a leaf of every queue; and
 * two more leafs of the first queue, which share its rows with the first leafs of those databases. */
let set: NodeSet;
const parts: SetNode[] = [];
/** leafs by database, in the order of the partitions */
const full: readonly SetNode[][] = [[], []];
let shards: readonly SetNode[];

const partSetup = `
  create schema partconf;
  create function partconf.get_hash_raw(i int) returns int language sql immutable as 'select i';
  create table partconf.conf (part_nr int, max_part int);
  create table split (id int primary key, v text);`;
const shardSettings = { shard_info_sql: "select part_nr, max_part from partconf.conf" };

before(async () => {
  set = await NodeSet.start();
  set.startTicker();
  for (const nr of [1, 2, 3, 4]) {
    const part = await set.add(`part${nr}`, {
      type: "root",
      queue: `q${nr}`,
      setup: `
        create table data (id int primary key, v text); insert into data values (${nr}, 'before');
        create table accounts (id int primary key, v text, changed timestamp not null);
        ${nr === 1 ? `${partSetup} insert into split select g, 'before' from generate_series(1, 8) g` : ""}`,
    });
    part.startWorker();
    await part.londiste("add-table", "data");
    parts.push(part);
  }
  await parts[0]!.londiste("add-table", "split", "--handler=part", "--handler-arg=key=id");
  for (const [nr, leafs] of full.entries()) {
    for (const part of parts) {
      const leaf = await set.add(`${part.name}_at_full${nr + 1}`, {
        type: "leaf",
        queue: part.queue,
        provider: part,
        settings: shardSettings,
        ...(leafs[0] === undefined ? { setup: partSetup } : { beside: leafs[0] }),
      });
      leafs.push(leaf);
      leaf.startWorker();
      await set.settle(part, leaf);
    }
  }
  shards = [full[0]![0]!, full[1]![0]!];
  for (const nr of [3, 4]) {
    const place = { type: "leaf", queue: "q1", provider: parts[0]!, settings: shardSettings } as const;
    const leaf = await set.add(`shard${nr}`, { ...place, setup: partSetup });
    shards = [...shards, leaf];
    leaf.startWorker();
    await set.settle(parts[0]!, leaf);
  }
  for (const [nr, leaf] of shards.entries()) await leaf.query(`insert into partconf.conf values (${nr}, 3)`);
});

after(async () => {
  await set[Symbol.asyncDispose]();
});

const queues = [0, 1, 2, 3];

async function settleAll(): Promise<void> {
  for (const nr of queues) await set.settle(parts[nr]!, full[0]![nr]!, full[1]![nr]!);
}

test("four partitions are merged into two databases, each of which gets all rows and every new column", async () => {
  for (const leafs of full) {
    await leafs[0]!.londiste("add-table", "data", "--create", "--merge-all");
    await parts[0]!.query("update data set v = v || '.'");
  }
  for (const leafs of full) for (const leaf of leafs) await leaf.londiste("wait-sync");
  for (const [nr, part] of parts.entries()) await part.query(`insert into data values (${nr + 11}, 'after')`);
  await settleAll();
  const expected = [
    ...queues.map((nr) => ({ id: nr + 1, v: nr === 0 ? "before.." : "before" })),
    ...queues.map((nr) => ({ id: nr + 11, v: "after" })),
  ];
  for (const leafs of full)
    assert.deepEqual(await leafs[0]!.query("select id, v from data order by id"), expected);

  // Each partition runs the script; here it runs once, with the first of them.
  const script = "--*-- Local-Table: data\nalter table @data@ add column w int";
  for (const [nr, part] of parts.entries()) {
    await part.londiste("execute", part.writeFile("add-w.sql", script));
    await part.query(`update data set w = id where id = ${nr + 11}`);
    await set.settle(part, full[0]![nr]!, full[1]![nr]!);
  }
  for (const leafs of full) {
    assert.deepEqual(
      await leafs[0]!.query("select id, w from data where w is not null order by id"),
      queues.map((nr) => ({ id: nr + 11, w: nr + 11 })),
    );
    for (const leaf of leafs) assert.doesNotMatch(leaf.log(), lastingTrouble, leaf.name);
  }
});

test("four leafs split a table between them: each has its own rows, together they have all", async () => {
  for (const leaf of shards)
    await leaf.londiste("add-table", "split", "--handler=part", "--handler-arg=key=id");
  await parts[0]!.query("insert into split select g, 'meanwhile' from generate_series(9, 16) g");
  for (const leaf of shards) await leaf.londiste("wait-sync");
  await parts[0]!.query(
    "insert into split select g, 'after' from generate_series(17, 24) g; update split set v = 'new' where id <= 4; delete from split where id in (5, 6, 7, 8)",
  );
  await set.settle(parts[0]!, ...shards);
  for (const [nr, leaf] of shards.entries()) {
    const rows = "select * from split where id % 4 = $1 order by id";
    assert.deepEqual(
      await leaf.query("select * from split order by id"),
      await parts[0]!.query(rows, [nr]),
      leaf.name,
    );
    assert.match((await leaf.londiste("compare", "split")).stdout, /public\.split identical: 5 rows/);
  }
});

test("two masters write to one leaf: of every row it has the newest version, whoever made it and whenever it came", async () => {
  const masters = parts.slice(0, 2);
  const leafs = full[0]!.slice(0, 2);
  await masters[0]!.query(
    "insert into accounts values (1, 'first', '2024-01-01'), (2, 'first', '2024-01-01')",
  );
  for (const master of masters) await master.londiste("add-table", "accounts");
  for (const [nr, leaf] of leafs.entries()) await set.settle(masters[nr]!, leaf);
  const handler = ["--handler=multimaster", "--handler-arg=timefield=changed"];
  await leafs[0]!.londiste("add-table", "accounts", "--create", ...handler, "--wait-sync");
  await leafs[1]!.londiste("add-table", "accounts", "--expect-sync", ...handler);
  const rows = () => leafs[0]!.query<{ id: number; v: string }>("select id, v from accounts order by id");
  const become = async (expected: readonly string[]) => {
    for (const [nr, leaf] of leafs.entries()) await set.settle(masters[nr]!, leaf);
    assert.deepEqual(
      (await rows()).map(({ v }) => v),
      expected,
    );
  };
  await masters[1]!.query(
    "insert into accounts values (1, 'second, newer', '2024-01-02'), (3, 'second', '2024-01-01')",
  );
  await become(["second, newer", "first", "second"]);
  await masters[0]!.query(
    "update accounts set v = 'too late', changed = '2024-01-01 12:00' where id = 1; insert into accounts values (3, 'too late', '2023-12-31')",
  );
  await become(["second, newer", "first", "second"]);
  await masters[0]!.query("update accounts set v = 'first, newest', changed = '2024-02-01' where id = 1");
  await masters[1]!.query("update accounts set v = 'second, newest', changed = '2024-02-01' where id = 3");
  await become(["first, newest", "first", "second, newest"]);
  for (const leaf of leafs) assert.doesNotMatch(leaf.log(), lastingTrouble, leaf.name);
});
