import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Cluster, startCluster, startProgram, waitFor } from "@skytools/testbed";
import { NodeSet, type SetNode } from "../fixture/node-set.js";
import { underLoad } from "../fixture/under-load.js";

/* The root's server counts transactions far ahead of that of the other nodes: what is old there is yet to come here. */
let set: NodeSet;
let others: Cluster;
let root: SetNode;
let branch: SetNode;
let leaf: SetNode;

const setup = "create table t (id serial primary key, v int not null default 0)";
/** Each subtransaction that writes takes an id. */
const takeTransactionIds = `
  create table taken (n int);
  do $$ begin
    for nr in 1 .. 20000 loop
      begin insert into taken values (nr); exception when unique_violation then end;
    end loop;
  end $$;
  drop table taken`;

before(async () => {
  others = await startCluster();
  set = await NodeSet.start();
  await set.cluster.query(takeTransactionIds);
  set.startTicker();
  root = await set.add("root", { type: "root", setup });
  root.startWorker();
  branch = await set.add("branch", { type: "branch", provider: root, cluster: others, setup });
  branch.startWorker();
  leaf = await set.add("leaf", { type: "leaf", provider: branch, cluster: others, setup });
  await root.query("insert into t select from generate_series(1, 100)");
  await root.londiste("add-table", "t");
  leaf.startWorker();
  await set.settle(root, branch, leaf);
  const ids = async (node: SetNode) =>
    (await node.query<{ id: string }>("select txid_current()::text as id"))[0]!.id;
  assert.ok(Number(await ids(root)) > Number(await ids(branch)) + 10_000);
});

after(async () => {
  await set[Symbol.asyncDispose]();
  await others[Symbol.asyncDispose]();
});

const write = () => root.query("insert into t default values; update t set v = v + 1 where id < 20");

async function assertSame(): Promise<void> {
  await set.settle(root, leaf);
  const rows = "select * from t order by id";
  assert.deepEqual(await leaf.query(rows), await root.query(rows));
}

test("a table copied from another server than its events come from loses none of them", async () => {
  await underLoad(root, write, async () => {
    await leaf.londiste("add-table", "t", "--find-copy-node", "--wait-sync");
    assert.match(leaf.log(), /Using 'root' as source node/);
  });
  await assertSame();
});

test("a provider that changes while rows are copied and their snapshot is needed loses no event", async () => {
  await branch.londiste("add-table", "t", "--wait-sync");
  for (const [provider, source] of [
    ["root", "branch"],
    ["branch", "root"],
  ] as const) {
    await leaf.stopWorker();
    await underLoad(root, write, async () => {
      await leaf.query(
        "update londiste.table_info set merge_state = 'in-copy' where table_name = 'public.t'",
      );
      // It dies with the rows and the snapshot stored, and nothing replayed yet.
      await using copy = startProgram("londiste3", ["leaf.ini", "copy", "public.t"], {
        cwd: set.directory,
        env: { SKYTOOLS_CRASH_POINT: "copy.after-commit=kill" },
      });
      await copy.exit;
      const [table] = await leaf.query<{ state: string; has_snapshot: boolean }>(
        "select merge_state as state, custom_snapshot is not null as has_snapshot from londiste.table_info",
      );
      assert.deepEqual(table, { state: "catching-up", has_snapshot: true }, `copied from ${source}`);
      leaf.startWorker();
      await leaf.londiste("change-provider", `--provider=${provider}`);
      await waitFor(
        "the table to be handed over",
        async () => {
          const [{ state } = { state: "" }] = await leaf.query<{ state: string }>(
            "select merge_state as state from londiste.table_info",
          );
          return state === "ok";
        },
        { timeoutMs: 180_000, onTimeout: () => leaf.logTail() },
      );
    });
    await assertSame();
  }
});
