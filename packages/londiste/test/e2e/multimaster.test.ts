import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { lastingTrouble, NodeSet, type SetNode } from "../fixture/node-set.js";

let set: NodeSet;
let east: SetNode;
let west: SetNode;
/** what comes from the other side; in the databases of west and east */
let fromEast: SetNode;
let fromWest: SetNode;

const setup =
  "create table accounts (id int primary key, v text, changed timestamp not null default '2024-01-01')";
const handler = ["--handler=multimaster", "--handler-arg=timefield=changed", "--no-triggers"];

before(async () => {
  set = await NodeSet.start();
  set.startTicker();
  east = await set.add("east", { type: "root", queue: "from_east", setup });
  west = await set.add("west", { type: "root", queue: "from_west", setup });
  for (const node of [east, west]) {
    node.startWorker();
    await node.londiste("add-table", "accounts");
  }
  await east.query("insert into accounts values (1, 'one'), (2, 'two')");
  fromEast = await set.add("at_west", { type: "leaf", queue: "from_east", provider: east, beside: west });
  fromWest = await set.add("at_east", { type: "leaf", queue: "from_west", provider: west, beside: east });
  for (const node of [fromEast, fromWest]) node.startWorker();
  await set.settle(east, fromEast);
  await set.settle(west, fromWest);
  await fromEast.londiste("add-table", "accounts", ...handler, "--wait-sync");
  await fromWest.londiste("add-table", "accounts", ...handler, "--expect-sync");
});

after(async () => {
  await set[Symbol.asyncDispose]();
});

async function settleBoth(): Promise<void> {
  await set.settle(east, fromEast);
  await set.settle(west, fromWest);
}

const rows = (node: SetNode) => node.query("select id, v from accounts order by id");

test("two nodes write into each other: on both sides the newer version of each row wins, nothing goes round", async () => {
  assert.deepEqual(await rows(west), [
    { id: 1, v: "one" },
    { id: 2, v: "two" },
  ]);
  // Neither side has seen the other's change yet when it makes its own.
  await fromEast.stopWorker();
  await fromWest.stopWorker();
  await east.query(
    `update accounts set v = 'east, later', changed = '2024-03-02' where id = 1;
     update accounts set v = 'east, earlier', changed = '2024-03-01' where id = 2;
     insert into accounts values (3, 'east, earlier', '2024-03-01'), (4, 'only east', '2024-03-01'), (5, 'doomed', '2024-03-01')`,
  );
  await west.query(
    `update accounts set v = 'west, earlier', changed = '2024-03-01' where id = 1;
     update accounts set v = 'west, later', changed = '2024-03-02' where id = 2;
     insert into accounts values (3, 'west, later', '2024-03-02'), (6, 'only west', '2024-03-01')`,
  );
  fromEast.startWorker();
  fromWest.startWorker();
  await settleBoth();
  const merged = [
    { id: 1, v: "east, later" },
    { id: 2, v: "west, later" },
    { id: 3, v: "west, later" },
    { id: 4, v: "only east" },
    { id: 5, v: "doomed" },
    { id: 6, v: "only west" },
  ];
  assert.deepEqual(await rows(east), merged);
  assert.deepEqual(await rows(west), merged);

  await west.query(
    "update accounts set v = 'again', changed = '2024-04-01' where id = 4; delete from accounts where id = 5",
  );
  await settleBoth();
  const last = merged.filter(({ id }) => id !== 5).map((row) => (row.id === 4 ? { id: 4, v: "again" } : row));
  assert.deepEqual(await rows(east), last);
  assert.deepEqual(await rows(west), last);
  for (const node of [east, west]) {
    const events = await node.query("select from pgq.event_template where ev_extra1 = 'public.accounts'");
    assert.equal(events.length, node === east ? 7 : 6, "only its own changes are in its queue");
  }
  for (const node of [fromEast, fromWest]) assert.doesNotMatch(node.log(), lastingTrouble);
});
