import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Database } from "@skytools/skytools";
import { waitFor } from "@skytools/testbed";
import { NodeSet, type SetNode } from "../fixture/node-set.js";

let set: NodeSet;
const parts: SetNode[] = [];
const leafs: SetNode[] = [];
const middles: SetNode[] = [];

before(async () => {
  set = await NodeSet.start();
  set.startTicker();
  for (const nr of [1, 2]) {
    const part = await set.add(`part${nr}`, {
      type: "root",
      queue: `q${nr}`,
      setup: `create table rows (id int primary key, v text);
              insert into rows select ${nr} * 1000 + g, 'copied' from generate_series(1, 50) g`,
    });
    part.startWorker();
    await part.londiste("add-table", "rows");
    parts.push(part);
  }
  for (const [nr, part] of parts.entries()) {
    // both queues come through a database that has no table of theirs
    const middle = await set.add(`middle${nr + 1}`, {
      type: "branch",
      queue: part.queue,
      provider: part,
      ...(middles[0] === undefined ? {} : { beside: middles[0] }),
    });
    middles.push(middle);
    middle.startWorker();
    await set.settle(part, middle);
    const leaf = await set.add(`leaf${nr + 1}`, {
      type: "leaf",
      queue: part.queue,
      provider: middle,
      ...(leafs[0] === undefined ? {} : { beside: leafs[0] }),
    });
    leafs.push(leaf);
    leaf.startWorker();
    await set.settle(part, leaf);
  }
});

after(async () => {
  await set[Symbol.asyncDispose]();
});

const count = async (node: SetNode) => (await node.query("select from rows")).length;

test("--merge-all copies the rows of all queues into one table and replays them; no copy empties another's", async () => {
  const [first, second] = leafs as [SetNode, SetNode];
  const refused = await first.tryLondiste("add-table", "rows", "--create", "--find-copy-node");
  assert.match(
    refused.stderr,
    /Found multiple sources for table public\.rows, use merge-all or no-merge to continue/,
  );
  await first.londiste("add-table", "rows", "--create", "--merge-all", "--find-copy-node", "--wait-sync");
  await second.londiste("wait-sync");
  assert.equal(await count(first), 100);
  for (const [nr, leaf] of leafs.entries())
    assert.match(leaf.log(), new RegExp(`Node part${nr + 1} seems good source, using it`));
  assert.deepEqual(await middles[0]!.query("select to_regclass('rows') as found"), [{ found: null }]);
  for (const [nr, part] of parts.entries()) {
    await part.query(
      `insert into rows values (${nr + 1}, 'new'); delete from rows where id = ${(nr + 1) * 1000 + 1}`,
    );
    await set.settle(part, leafs[nr]!);
  }
  assert.equal(await count(first), 100);
  assert.equal((await first.query("select from rows where v = 'new'")).length, 2);
});

test("repair of a merged table does not take the rows of the other queue for too many, nor compare the table for different", async () => {
  const [first] = leafs as [SetNode, SetNode];
  const says = /public\.rows has rows of public\.rows of queue q2 .* in it too/;
  for (const args of [
    ["compare", "rows"],
    ["repair", "rows", "--apply"],
    ["repair", "rows", "--dry-run"],
  ]) {
    const { code, stdout, stderr } = await first.tryLondiste(...args);
    assert.deepEqual([code, stdout], [1, ""], stderr);
    assert.match(stderr, says);
  }
  assert.equal(await count(first), 100);
  // A row filter is no such condition: rows of the other queue pass it, too.
  await first.londiste("change-handler", "rows", "--where=id > 0");
  const filtered = await first.tryLondiste("repair", "rows", "--apply");
  assert.match(filtered.stderr, says);
  assert.equal(await count(first), 100);
  await first.londiste("change-handler", "rows");
  await first.change("delete from rows where id in (1010, 2010)");
  const own = await first.londiste("repair", "rows", "--apply", "--repair-where=id < 2000 and id <> 2");
  assert.match(own.stdout, /public\.rows repaired: 1 inserts, 0 updates, 0 deletes/);
  const other = await leafs[1]!.londiste("repair", "rows", "--apply", "--repair-where=id > 2000 or id = 2");
  assert.match(other.stdout, /public\.rows repaired: 1 inserts, 0 updates, 0 deletes/);
  assert.equal(await count(first), 100);
});

test("resync of a merged table copies it out of all its queues", async () => {
  const [first, second] = leafs as [SetNode, SetNode];
  await first.change("delete from rows where id > 20");
  const dry = await second.londiste("resync", "rows", "--dry-run");
  assert.equal(dry.stdout, "copy table public.rows anew\ncopy table public.rows anew out of queue q1\n");
  await second.londiste("resync", "rows");
  await first.londiste("wait-sync");
  await second.londiste("wait-sync");
  assert.equal(await count(first), 100);
});

/** Both copies are through, and no row has come upon one that was there already.
 * @param marks lengths of the logs from where on they count */
async function copiedAnew(marks: readonly number[]): Promise<void> {
  await waitFor(
    "both tables to be copied",
    async () => {
      for (const [nr, leaf] of leafs.entries()) {
        assert.doesNotMatch(
          leaf.log().slice(marks[nr]),
          /copy of public\.rows failed.*SQLSTATE 23505/,
          leaf.logTail(),
        );
      }
      const states = await leafs[0]!.query(
        "select from londiste.table_info where table_name = 'public.rows' and local and merge_state = 'ok'",
      );
      return states.length === 2;
    },
    { isErrorFinal: true, onTimeout: () => leafs.map((leaf) => leaf.logTail()).join("\n") },
  );
}

const logLengths = () => leafs.map((leaf) => leaf.log().length);

test("a copy that has lost its place does not come beside its own old rows in a table that another queue fills too", async () => {
  const [first, second] = leafs as [SetNode, SetNode];
  await second.stopWorker();
  await second.query("select londiste.local_set_table_state('q2', 'public.rows', null, 'catching-up')");
  const marks = logLengths();
  second.startWorker();
  await waitFor("the loss to be noticed", () =>
    /public\.rows: the place of consumer .* is lost/.test(second.log().slice(marks[1])),
  );
  await copiedAnew(marks);
  assert.equal(await count(first), 100);
});

test("a table is emptied only when the batches of other queues that apply it are through", async () => {
  const [first, second] = leafs as [SetNode, SetNode];
  const part = parts[1]!;
  await part.query("create table gate (id int primary key)");
  await part.londiste("add-table", "gate");
  await set.settle(part, middles[1]!, second);
  await second.londiste("add-table", "gate", "--create", "--find-copy-node", "--wait-sync");
  await using holder = await Database.open(first.connstr);
  await holder.execute("lock table gate in access exclusive mode");
  await part.query("insert into gate values (1); insert into rows values (2900, 'in the batch')");
  await waitFor("the batch to wait", async () => {
    const waiting = await first.query(
      "select from pg_locks where not granted and relation = 'gate'::regclass",
    );
    return waiting.length > 0;
  });
  const marks = logLengths();
  await first.londiste("resync", "rows");
  await waitFor("the copy to wait for the batch, or to be through", async () => {
    const seen = await first.query(
      `select from pg_locks where not granted and locktype = 'transactionid'
       union all
       select from londiste.table_info where queue_name = 'q1' and table_name = 'public.rows' and merge_state not in ('in-copy')`,
    );
    return seen.length > 0;
  });
  await holder.rollback();
  await copiedAnew(marks);
  assert.equal(await count(first), 101);
  await part.query("delete from rows where id = 2900");
  await set.settle(part, middles[1]!, second);
});

test("a script that all parts execute runs once here", async () => {
  const [first] = leafs as [SetNode, SetNode];
  const text = "--*-- Local-Table: rows\nalter table @rows@ add column w int default 5";
  for (const [nr, part] of parts.entries()) {
    await part.londiste("execute", part.writeFile("add-w.sql", text));
    await part.query(`insert into rows values (${(nr + 1) * 10}, 'with w', 9)`);
    await set.settle(part, leafs[nr]!);
  }
  assert.equal((await first.query("select from rows where w = 9")).length, 2);
  assert.equal((await first.query("select from rows where w = 5")).length, 100);
});

test("a copy waits while that of another queue fills the table in several transactions", async () => {
  const [first, second] = leafs as [SetNode, SetNode];
  const whole = await count(first);
  await first.stopWorker();
  await second.stopWorker();
  await first.londiste("resync", "rows");
  await first.query(
    "update londiste.table_info set merge_state = 'in-copy', dropped_ddl = '' where queue_name = $1 and table_name = 'public.rows'",
    [first.queue],
  );
  const seen = second.log().length;
  second.startWorker();
  const waits = /waiting for the copy out of queue q1/;
  await waitFor("the second copy to wait", () => waits.test(second.log().slice(seen)), {
    onTimeout: () => second.logTail(),
  });
  first.startWorker();
  await first.londiste("wait-sync");
  await second.londiste("wait-sync");
  assert.equal(await count(first), whole);
});

test("--merge-all asks the other queues' providers for tables that have not come through the queue yet", async () => {
  const [first, second] = leafs as [SetNode, SetNode];
  await first.stopWorker();
  await second.stopWorker();
  for (const [nr, part] of parts.entries()) {
    await part.query(`create table fresh (id int primary key); insert into fresh values (${nr})`);
    await part.londiste("add-table", "fresh");
  }
  for (const [nr, part] of parts.entries()) await set.settle(part, middles[nr]!);
  await first.londiste("add-table", "fresh", "--create", "--merge-all", "--find-copy-node");
  first.startWorker();
  second.startWorker();
  await first.londiste("wait-sync");
  await second.londiste("wait-sync");
  assert.deepEqual(await first.query("select id from fresh order by id"), [{ id: 0 }, { id: 1 }]);
});
