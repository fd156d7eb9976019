import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { lastingTrouble, NodeSet, type SetNode } from "../fixture/node-set.js";

/* Rows of a database without encoding come to another one through a leaf that is merged into a queue of that database:
 *
 *   source (root of q) --> merging (leaf of q), beside it vault (root of c)
 */
let set: NodeSet;
let source: SetNode;
let vault: SetNode;
let merging: SetNode;

before(async () => {
  set = await NodeSet.start();
  set.startTicker();
  source = await set.add("source", {
    type: "root",
    encoding: "SQL_ASCII",
    setup: `
      create table mixed (id int primary key, v text);
      insert into mixed values (1, E'copied \\xe9'), (2, 'copied'), (3, 'copied'), (4, 'copied'), (5, 'copied');
      create table people (id int primary key, email text, phone text, note text);
      insert into people values (1, 'ann@example.com', '555', 'private'), (2, 'bob@example.com', '', 'private'),
                                (3, 'eve@example.com', null, null)`,
  });
  source.startWorker();
  vault = await set.add("vault", {
    type: "root",
    queue: "c",
    setup: "create table people (id int primary key, email uuid, phone boolean, note text)",
  });
  vault.startWorker();
  source.writeFile("map.yaml", "public.people: {id: keep, email: hash, phone: bool, note: skip}\n");
  merging = await set.add("merging", {
    type: "leaf",
    provider: source,
    beside: vault,
    settings: { obfuscator_map: "map.yaml", obfuscator_key: "k" },
    args: ["--merge=c"],
  });
  merging.startWorker();
  await source.londiste("add-table", "mixed", "people");
  await set.settle(source, merging);
});

after(async () => {
  await set[Symbol.asyncDispose]();
});

test("obfuscate on a leaf that is merged: neither the table nor the combined queue has a value that is to be hidden", async () => {
  await merging.londiste("add-table", "people", "--handler=obfuscate", "--wait-sync");
  await source.query(
    `insert into people values (4, 'ann@example.com', '556', 'private');
     update people set phone = '557' where id = 2; delete from people where id = 3`,
  );
  await set.settle(source, merging);
  const rows = await vault.query<{ id: number; email: string }>("select * from people order by id");
  const [ann, bob] = rows.map(({ email }) => email);
  for (const email of [ann, bob]) assert.match(email ?? "", /^[0-9a-f-]{36}$/);
  assert.notEqual(ann, bob);
  // copied or replayed, an address is hidden alike
  assert.deepEqual(rows, [
    { id: 1, email: ann, phone: true, note: null },
    { id: 2, email: bob, phone: true, note: null },
    { id: 4, email: ann, phone: true, note: null },
  ]);
  const events = await vault.query(
    `select ev_type::jsonb ->> 'op' as op, ev_data::jsonb as row, ev_extra2, ev_extra3, ev_extra4
       from pgq.event_template where ev_extra1 = 'public.people' order by ev_id`,
  );
  const eve = "b0d873f0-beb8-f1d1-6174-752596e4bfa9";
  const noExtras = { ev_extra2: null, ev_extra3: null, ev_extra4: null };
  assert.deepEqual(events, [
    { op: "INSERT", row: { id: 4, email: ann, phone: true }, ...noExtras },
    { op: "UPDATE", row: { id: 2, email: bob, phone: true }, ...noExtras },
    { op: "DELETE", row: { id: 3, email: eve, phone: null }, ...noExtras },
  ]);
});

test("events that are hidden keep their place among the others in the combined queue: a new column comes after its script", async () => {
  const script = "--*-- Local-Table: public.people\nalter table @public.people@ add column score int";
  source.writeFile("map.yaml", "public.people: {id: keep, email: hash, score: keep}\n");
  // both in one batch
  const pause = "select pgq.set_queue_config('q', 'ticker_paused', $1)";
  await source.query(pause, ["true"]);
  await source.londiste("execute", source.writeFile("add-score.sql", script));
  await source.query("update people set score = 7 where id = 4");
  await source.query(pause, ["false"]);
  await set.settle(source, merging);
  const events = await vault.query<{ kind: string }>(
    `select substring(ev_type, 'EXECUTE|UPDATE') as kind from pgq.event_template
      where ev_data ~ 'score' order by ev_id`,
  );
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ["EXECUTE", "UPDATE"],
  );
  assert.deepEqual(await vault.query("select score from people where id = 4"), [{ score: 7 }]);
});

test("bulk_direct with encoding=utf8: what is no text is repaired, in the copy and on replay, whatever happens to a row within a batch", async () => {
  const args = ["method=1", "encoding=utf8"].map((value) => `--handler-arg=${value}`);
  await merging.londiste("add-table", "mixed", "--create", "--handler=bulk_direct", ...args, "--wait-sync");
  const rows = () => vault.query<{ id: number; v: string }>("select * from mixed order by id");
  assert.deepEqual((await rows())[0], { id: 1, v: "copied \ufffd" });
  // one transaction, so it is in one batch
  await source.query(
    `insert into mixed values (10, E'new \\xff'), (11, 'gone'), (12, 'gone'), (13, 'once');
     update mixed set v = E'changed \\xe9t\\xe9' where id = 1;
     delete from mixed where id = 2;
     update mixed set v = 'gone' where id in (3, 12);
     delete from mixed where id in (3, 4, 11, 12);
     insert into mixed values (4, 'again');
     update mixed set v = 'twice' where id = 13`,
  );
  await set.settle(source, merging);
  assert.deepEqual(await rows(), [
    { id: 1, v: "changed \ufffdt\ufffd" },
    { id: 4, v: "again" },
    { id: 5, v: "copied" },
    { id: 10, v: "new \ufffd" },
    { id: 13, v: "twice" },
  ]);
  assert.match(merging.log(), /Fixed invalid UTF8 in column <public\.mixed\.v>/);
  assert.doesNotMatch(merging.log(), /mismatch/i);

  // method 1 stores a row that an update does not find
  await vault.change("delete from mixed where id = 5");
  await source.query("update mixed set v = 'restored' where id = 5");
  await set.settle(source, merging);
  assert.deepEqual((await rows())[2], { id: 5, v: "restored" });
  // under its bytes no event could be in a queue of this database
  assert.deepEqual(
    await vault.query(
      "select ev_data::jsonb ->> 'v' as v from pgq.event_template where ev_extra1 = 'public.mixed' and ev_data ~ 'new'",
    ),
    [{ v: "new \ufffd" }],
  );
  for (const node of set.nodes) assert.doesNotMatch(node.log(), lastingTrouble, node.name);
});
