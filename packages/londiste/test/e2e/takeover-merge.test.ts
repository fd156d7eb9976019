import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { waitFor } from "@skytools/testbed";
import { lastingTrouble, NodeSet, type SetNode } from "../fixture/node-set.js";
import { someReaderKeepsUp } from "../fixture/under-load.js";

/* Rows of two parts are merged into one table, whose changes form the combined queue c:
 *
 *   part1, part2 (roots of q1, q2) --> one: leafs of q1 and q2, root of c
 *                                  --> two: leafs of q1 and q2, branch of c --> report: leaf of c
 */
let set: NodeSet;
const parts: SetNode[] = [];
let one: SetNode;
let two: SetNode;
let report: SetNode;
const accepted: number[] = [];
let isLoadWanted = false;
let load: Promise<void> = Promise.resolve();

const tableSql = "create table rows (id int primary key, part int, changes int not null default 0)";

before(async () => {
  set = await NodeSet.start();
  set.startTicker();
  for (const nr of [1, 2]) {
    const part = await set.add(`part${nr}`, {
      type: "root",
      queue: `q${nr}`,
      setup: `${tableSql}; insert into rows select g * 2 + ${nr}, ${nr} from generate_series(-100, -2) g`,
    });
    part.startWorker();
    await part.londiste("add-table", "rows");
    parts.push(part);
  }
  one = await set.add("one", { type: "root", queue: "c", setup: tableSql });
  one.startWorker();
  const merging = await leafsBeside(one);
  await merging[0]!.londiste("add-table", "rows", "--merge-all");
  for (const leaf of merging) await leaf.londiste("wait-sync");

  two = await set.add("two", { type: "branch", queue: "c", provider: one, setup: tableSql });
  two.startWorker();
  const following = await leafsBeside(two);
  await following[0]!.londiste("add-table", "rows", "--merge-all");
  await two.londiste("wait-sync");
  report = await set.add("report", { type: "leaf", queue: "c", provider: two, setup: tableSql });
  report.startWorker();
  await report.londiste("add-table", "rows", "--wait-sync");
});

after(async () => {
  isLoadWanted = false;
  await load;
  await set[Symbol.asyncDispose]();
});

async function leafsBeside(combined: SetNode): Promise<SetNode[]> {
  const leafs: SetNode[] = [];
  for (const part of parts) {
    const leaf = await set.add(`${combined.name}_${part.queue}`, {
      type: "leaf",
      queue: part.queue,
      provider: part,
      beside: combined,
      args: ["--merge=c"],
    });
    leaf.startWorker();
    leafs.push(leaf);
  }
  return leafs;
}

function startLoad(): void {
  isLoadWanted = true;
  load = write();
}

/** New rows in turns on both parts, each with a change of an older one. */
async function write(): Promise<void> {
  while (isLoadWanted) {
    const id = accepted.length;
    const part = parts[id % 2]!;
    await part.query(
      `insert into rows values (${id}, ${(id % 2) + 1}); update rows set changes = changes + 1 where id = ${id - 4}`,
    );
    accepted.push(id);
    await waitFor("a reader to keep up", () => !isLoadWanted || someReaderKeepsUp(part));
  }
}

async function waitForWrites(): Promise<void> {
  const before = accepted.length;
  await waitFor("writes", () => accepted.length >= before + 10);
}

const rowsOf = (node: SetNode) => node.query("select * from rows order by id");

/** Stops writing and waits until all nodes of the combined queue have the rows of both parts, as they are there. */
async function assertWhole(...nodes: readonly SetNode[]): Promise<void> {
  isLoadWanted = false;
  await load;
  const expected = (await Promise.all(parts.map(rowsOf)))
    .flat()
    .toSorted((a, b) => Number(a.id) - Number(b.id));
  for (const node of nodes) {
    await waitFor(
      `the rows of both parts on ${node.name}`,
      async () => {
        assert.deepEqual(await rowsOf(node), expected);
        return true;
      },
      { onTimeout: () => node.logTail() },
    );
  }
  const [first, ...others] = await Promise.all(nodes.filter((node) => node !== report).map(changesIn));
  for (const changes of others) assert.deepEqual(changes, first);
  assert.equal(new Set(first).size, first!.length, "no change is twice in the combined queue");
}

/** What the load has changed, in the order of the node's combined queue. */
async function changesIn(node: SetNode): Promise<string[]> {
  const events = await node.query<{ change: string }>(
    `select ev_type || ' ' || ev_data as change from pgq.event_template
      where ev_extra1 = 'public.rows' and tableoid in (
        select c.oid from pg_class c join pgq.queue q
          on c.oid::regclass::text like q.queue_data_pfx || '\\_%' where q.queue_name = 'c')
      order by ev_id`,
  );
  return events.map(({ change }) => change);
}

test("a script that every part executes reaches all through the combined queue, and runs once on each node", async () => {
  const script = "--*-- Local-Table: rows\nalter table @rows@ add column note text default 'by script'";
  for (const part of parts) {
    await part.londiste("execute", part.writeFile("add-note.sql", script));
    await part.query("update rows set note = 'written' where id = (select min(id) from rows)");
    await waitFor(
      `the row of ${part.name} on ${report.name}`,
      async () => {
        const sql = "select from rows r where part = $1 and to_jsonb(r) ->> 'note' = 'written'";
        return (await report.query(sql, [parts.indexOf(part) + 1])).length === 1;
      },
      { onTimeout: () => report.logTail() },
    );
  }
  await assertWhole(one, two, report);
  const runs = (node: SetNode) =>
    node.query("select queue_name, execute_file from londiste.applied_execute order by 1");
  assert.deepEqual(await runs(one), [{ queue_name: "q1", execute_file: "add-note.sql" }]);
  for (const node of [two, report])
    assert.deepEqual(await runs(node), [{ queue_name: "c", execute_file: "add-note.sql" }], node.name);
  for (const node of set.nodes) assert.doesNotMatch(node.log(), lastingTrouble, node.name);
});

test("takeover of the combined root under load, there and back", async () => {
  startLoad();
  await waitForWrites();
  await two.londiste("takeover", "one");
  await waitForWrites();
  await assertWhole(one, two, report);
  startLoad();
  await waitForWrites();
  await one.londiste("takeover", "two");
  await waitForWrites();
  await assertWhole(one, two, report);
});

test("the database of the combined root is killed under load: its standby goes on merging", async () => {
  startLoad();
  await waitForWrites();
  for (const node of set.nodes) if (node.database === "one") await node.stopWorker();
  await set.cluster.query("alter database one allow_connections false");
  await set.cluster.terminateBackends({ database: "one" });
  await two.londiste("takeover", "one", "--dead-root");
  await waitForWrites();
  await assertWhole(two, report);
  const compared = await report.tryLondiste("compare");
  assert.equal(compared.code, 0, compared.stdout);
});
