import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { runProgram, waitFor } from "@skytools/testbed";
import { TakeoverSet } from "../fixture/takeover-set.js";

let running: TakeoverSet;

before(async () => {
  running = await TakeoverSet.start({
    n1: { type: "root", provider: null },
    n2: { type: "branch", provider: "n1" },
    n3: { type: "branch", provider: "n1" },
    n4: { type: "leaf", provider: "n2" },
    n5: { type: "leaf", provider: "n1" },
  });
});

after(async () => {
  await running[Symbol.asyncDispose]();
});

test("switchover of a live root under load: every table and queue is whole", async () => {
  running.startLoad();
  await running.waitForWrites();
  await running.member("n2").londiste("takeover", "n1");
  await running.waitForWrites();
  assert.deepEqual(await running.tree(), { n1: "n2", n2: null, n3: "n1", n4: "n2", n5: "n1" });
  await running.assertWhole();
});

test("a node is renamed under load, also where a table is copied from it", async () => {
  running.startLoad();
  const n5 = running.member("n5");
  await n5.londiste("resync", "ledger", "--copy-node=n3");
  await n5.londiste("rename-node", "n3", "tromso");
  running.rename("n3", "tromso");
  const [row] = await n5.query(
    "select table_attrs from londiste.table_info where table_name = 'public.ledger'",
  );
  assert.deepEqual(row, { table_attrs: "copy_node=tromso" });
  await n5.londiste("wait-sync");
  await running.assertWhole();
});

test("a paused node stands still and comes after when it is resumed", async () => {
  running.startLoad();
  await running.member("n3").londiste("pause");
  await running.waitForWrites();
  await running.member("n3").londiste("resume");
  await running.assertWhole();
});

test("a killed branch: a node below it takes its place, with the others; then it is dropped", async () => {
  running.startLoad();
  await running.takeDown("n1");
  await running.member("n3").londiste("takeover", "n1", "--dead-branch");
  assert.deepEqual(await running.tree(), { n2: null, n3: "n2", n4: "n2", n5: "n3" });
  await running.member("n3").londiste("drop-node", "n1");
  await running.assertWhole();
  const { stdout } = await running.member("n5").londiste("members");
  assert.doesNotMatch(stdout, /^n1 /m);
});

test("a killed root: what only a leaf has is set aside, the leaf follows with what differs copied anew", async () => {
  const [n2, n3, n4] = ["n2", "n3", "n4"].map((name) => running.member(name));
  const copyOf = async (table: string) => {
    const [row] = await n4!.query<{ time: string }>(
      "select start_time::text as time from londiste.copy_progress where table_name = $1",
      [table],
    );
    return row!.time;
  };
  const copied = [await copyOf("public.ledger"), await copyOf("public.fixed")];
  await n3!.stopWorker();
  await running.writeTo("n2", 1_000_001);
  await running.set.settle(n2!, n4!);
  running.startLoad();
  await running.waitForWrites(2);
  await running.takeDown("n2");
  await running.stopLoad();
  n3!.startWorker();
  const dry = await n3!.londiste("takeover", "n2", "--dead-root", "--dry-run");
  assert.match(
    dry.stdout,
    /leaf "n4" has applied ticks up to (\d+).* what only it has goes to takeover-ahead\.n4\.\1\.sql/,
  );
  const { stderr } = await n3!.londiste("takeover", "n2", "--dead-root");
  const [, file] = /what only "n4" has is in .*(takeover-ahead\.n4\.\d+\.sql)/.exec(stderr) ?? [];
  assert.deepEqual(await running.tree(), { n3: null, n4: "n3", n5: "n3" });
  await n4!.londiste("wait-sync");
  assert.notEqual(await copyOf("public.ledger"), copied[0]);
  assert.equal(await copyOf("public.fixed"), copied[1], "what is the same is not copied");
  const missing = (await n4!.query("select from ledger where id = 1000001")).length;
  assert.equal(missing, 0, "the leaf has what the new root has");

  await runProgram("psql", [n3!.connstr, "-f", n3!.path(file!), "-v", "ON_ERROR_STOP=1"]);
  const [{ count }] = (await n3!.query("select count(*)::int4 from ledger where id >= 1000001")) as [
    { count: number },
  ];
  assert.equal(count, 1);
  running.startLoad();
  await running.waitForWrites();
  await running.stopLoad();
});

test("the former root comes back: resurrect sets aside what only it has, and its tables are copied", async () => {
  const n2 = await running.bringBack("n2");
  const lost = await n2.londiste("resurrect");
  assert.match(lost.stderr, /table: public\.ledger: \[\d+, 0, 0, 'can rollback'\]/);
  const events = JSON.parse(readFileSync(n2.path("resurrect-lost-events.json"), "utf8")) as {
    ev_extra1: string | null;
    ev_data: string;
  }[];
  const ids = events
    .filter(({ ev_extra1 }) => ev_extra1 === "public.ledger")
    .map(({ ev_data }) => Number(/\bid[=":]+(\d+)/.exec(ev_data)![1]));
  const there = new Set(
    (await running.member("n3").query<{ id: number }>("select id from ledger")).map(({ id }) => id),
  );
  running.forget(ids.filter((id) => !there.has(id)));
  n2.startWorker();
  await n2.londiste("resync", "--all");
  running.startLoad();
  await n2.londiste("resume");
  await n2.londiste("wait-sync");
  await running.assertWhole();
  for (const name of ["n2", "n4"]) {
    const compared = await waitFor("compare", () => running.member(name).tryLondiste("compare"));
    assert.equal(compared.code, 0, compared.stdout);
  }
});

test("a table that was catching up from a root that died is copied from the one that took over", async () => {
  const [n2, n3, n5] = ["n2", "n3", "n5"].map((name) => running.member(name));
  await n5!.stopWorker();
  n5!.startWorker({ SKYTOOLS_CRASH_POINT: "copy.before-take-over=kill" });
  await n5!.londiste("resync", "ledger");
  await waitFor("the copy to catch up", async () => {
    const [row] = await n5!.query<{ merge_state: string | null }>(
      "select merge_state from londiste.table_info where table_name = 'public.ledger'",
    );
    return /^(?:wanna|do)-sync/.test(row?.merge_state ?? "");
  });
  await n5!.stopWorker();
  await running.set.settle(n3!, n2!);
  await running.takeDown("n3");
  n5!.startWorker();
  await n2!.londiste("takeover", "tromso", "--dead-root");
  await n5!.londiste("wait-sync");
  running.startLoad();
  await running.waitForWrites();
  await running.assertWhole();
});
