import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { waitFor } from "@skytools/testbed";
import { lastingTrouble, NodeSet, type SetNode } from "../fixture/node-set.js";
import { underLoad } from "../fixture/under-load.js";

/* Five nodes, each the provider of the next. */
let set: NodeSet;
const nodes: SetNode[] = [];
let root: SetNode;
let deepest: SetNode;

const setup = `
  create table parent (id int primary key, v text);
  create table child (id int primary key, parent int not null constraint to_parent references parent, v text);`;

before(async () => {
  set = await NodeSet.start();
  set.startTicker();
  for (const nr of [1, 2, 3, 4, 5]) {
    const provider = nodes.at(-1);
    const place = provider === undefined ? { type: "root" as const } : { type: "branch" as const, provider };
    const node = await set.add(`n${nr}`, { ...place, setup });
    node.startWorker();
    nodes.push(node);
  }
  root = nodes[0]!;
  deepest = nodes[4]!;
  await root.query(
    `insert into parent select g, 'copied' from generate_series(1, 50) g;
     insert into child select g, g, 'copied' from generate_series(1, 50) g`,
  );
  await root.londiste("add-table", "parent", "child");
  await set.settle(root, ...nodes.slice(1));
});

after(async () => {
  await set[Symbol.asyncDispose]();
});

let written = 100;

/** A family that nobody has seen before, and a change of an old one. */
async function write(): Promise<void> {
  written += 1;
  await root.query(
    `insert into parent values (${written}, 'new'); insert into child values (${written}, ${written}, 'new');
     update child set v = 'changed' where id = ${written % 50}; delete from child where id = ${written} - 1`,
  );
}

async function identical(node: SetNode, command: "compare" | "repair"): Promise<void> {
  const apply = command === "repair" ? ["--apply"] : [];
  const result = await node.londiste(command, "--force", ...apply);
  if (command === "repair") return;
  for (const table of ["parent", "child"])
    assert.match(result.stdout, new RegExp(`public\\.${table} identical`), node.name);
}

const hasKey = async (node: SetNode) =>
  (await node.query("select from pg_constraint where conname = 'to_parent' and convalidated")).length === 1;

test("tables that a foreign key ties together are added to a chain in any order, from the nearest node that has them", async () => {
  // In this order each node's provider lacks the tables, but for the last one.
  for (const [nr, source] of [
    [5, "n1"],
    [2, "n1"],
    [4, "n2"],
    [3, "n2"],
  ] as const) {
    const node = nodes[nr - 1]!;
    await write();
    await node.londiste("add-table", "--all", "--find-copy-node");
    await write();
    await node.londiste("wait-sync");
    assert.match(node.log(), new RegExp(`Using '${source}' as source node`), node.name);
    await identical(node, "compare");
    await node.change("delete from child where id = 7; update parent set v = 'wrong' where id = 8");
    await write();
    await identical(node, "repair");
    await identical(node, "compare");
  }
  await write();
  await set.settle(root, ...nodes.slice(1));
  for (const node of nodes) {
    if (node !== root) await identical(node, "compare");
    await waitFor(`the foreign key of ${node.name}`, () => hasKey(node), {
      onTimeout: () => node.logTail(),
    });
    assert.doesNotMatch(node.log(), lastingTrouble, node.name);
  }
});

test("a serial table follows through the chain while rows come in; removed on the root it is gone everywhere, and can come again", async () => {
  await root.query("create table items (id serial primary key, v text)");
  const insert = () => root.query("insert into items (v) values ('x')");
  await underLoad(root, insert, async () => {
    await root.londiste("add-table", "items");
    for (const node of nodes.slice(1)) {
      await set.settle(root, node);
      await node.londiste("add-table", "items", "--create-full");
    }
    await deepest.londiste("wait-sync");
  });
  const rows = (node: SetNode) => node.query("select id, v from items order by id");
  await set.settle(root, deepest);
  assert.deepEqual(await rows(deepest), await rows(root));
  const registered = async (node: SetNode) =>
    (
      await node.query(
        `select table_name as name from londiste.table_info where table_name ~ 'items'
         union all select seq_name from londiste.seq_info where seq_name ~ 'items'`,
      )
    ).length;
  for (const node of nodes) assert.equal(await registered(node), 2, node.name);

  await root.londiste("remove-table", "items");
  await deepest.londiste("wait-root");
  for (const node of nodes) assert.equal(await registered(node), 0, node.name);

  await root.londiste("add-table", "items");
  await deepest.londiste("wait-root");
  await root.query("insert into items (v) values ('again')");
  await deepest.londiste("add-table", "items", "--find-copy-node", "--wait-sync");
  await root.londiste(
    "execute",
    root.writeFile("add-w.sql", "--*-- Local-Table: items\nalter table @items@ add column w int default 7"),
  );
  await root.query("insert into items (v, w) values ('with w', 9)");
  await set.settle(root, deepest);
  const all = "select * from items order by id";
  assert.deepEqual(await deepest.query(all), await root.query(all));
  assert.equal((await deepest.query("select from items where w = 9")).length, 1);
});
