import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { waitFor } from "@skytools/testbed";
import { type LondisteProgram, NodeSet, type SetNode } from "../fixture/node-set.js";
import { everyReaderKeepsUp, underLoad } from "../fixture/under-load.js";

const script = "/usr/bin/londiste";
const isInstalled = existsSync(script) && existsSync("/usr/lib/python3/dist-packages/londiste/__init__.py");

/** Debian's python3-londiste. */
const python: LondisteProgram = { command: "/usr/bin/python3", args: [script], section: "londiste" };

const table = "create table orders (id int primary key, customer text, amount numeric(12,2), at timestamptz)";

/* root (ours) -> our branch -> python leaf
 *             -> python branch -> our leaf */
test("a python leaf below our branch and our leaf below a python branch follow the same load", {
  skip: !isInstalled && "python3-londiste is not installed",
}, async () => {
  await using set = await NodeSet.start();
  set.startTicker();
  const root = await set.add("root", { type: "root", setup: table });
  root.startWorker();
  const ourBranch = await set.add("our_branch", { type: "branch", provider: root, setup: table });
  const pythonBranch = await set.add("python_branch", {
    type: "branch",
    provider: root,
    setup: table,
    program: python,
  });
  ourBranch.startWorker();
  pythonBranch.startWorker();
  await set.settle(root, ourBranch, pythonBranch);
  const pythonLeaf = await set.add("python_leaf", {
    type: "leaf",
    provider: ourBranch,
    setup: table,
    program: python,
  });
  const ourLeaf = await set.add("our_leaf", { type: "leaf", provider: pythonBranch, setup: table });
  pythonLeaf.startWorker();
  ourLeaf.startWorker();

  await root.query("insert into orders select g, 'before ' || g, g, now() from generate_series(1, 500) g");
  await root.londiste("add-table", "orders");
  let written = 0;
  const write = async (nr: number) => {
    await root.query(orderChanges(nr));
    written = nr;
  };
  const addTables = async () => {
    for (const level of [
      [ourBranch, pythonBranch],
      [ourLeaf, pythonLeaf],
    ]) {
      await set.settle(root, ...level);
      for (const node of level) await node.londiste("add-table", "orders");
      for (const node of level) await waitForCopy(node);
    }
    const copied = written;
    await waitFor("more transactions", () => written > copied + 10);
  };
  await underLoad(root, write, addTables, everyReaderKeepsUp);

  const nodes = [ourBranch, pythonBranch, ourLeaf, pythonLeaf];
  await set.settle(root, ...nodes);
  const expected = await contentOf(root);
  for (const node of nodes) assert.deepEqual(await contentOf(node), expected, node.name);
});

/** One transaction: inserts, changes, a change of the key, deletions, text that needs quoting. */
function orderChanges(nr: number): string {
  const id = 1000 + nr;
  return `insert into orders values (${id}, E'it''s "new"\\\\ \\t\\n % & = ü ' || ${id}, ${id} / 7.0, now()), (-${id}, null, null, null);
    update orders set amount = coalesce(amount, 0) + 0.01, customer = 'changed & kept' where id % 50 = ${id % 50};
    update orders set id = id + 1000000 where id = ${id - 3};
    delete from orders where id = -${id - 5}`;
}

async function waitForCopy(node: SetNode): Promise<void> {
  await waitFor(
    `orders in sync on ${node.name}`,
    async () => {
      const rows = await node.query(
        "select from londiste.get_table_list('q') where table_name = 'public.orders' and merge_state = 'ok'",
      );
      return rows.length === 1;
    },
    { onTimeout: () => node.logTail() },
  );
}

function contentOf(node: SetNode): Promise<object[]> {
  return node.query("select id, customer, amount, at::text from orders order by id");
}
