import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { waitFor } from "@skytools/testbed";
import { CascadeSet, type Member, produce, waitForTick } from "../fixture/cascade-set.js";

describe("a root and a leaf on two clusters", () => {
  let set: CascadeSet;
  let root: Member;
  let leaf: Member;

  before(async () => {
    set = await CascadeSet.create(2);
    root = await set.member("root", 0);
    // A forced tick counts as some 2000 events.
    leaf = await set.member("leaf", 1, ["catch_up_events = 5000"]);
    await root.command("create-root", "oslo", root.connstr);
    await leaf.command("create-leaf", "riga", leaf.connstr, `--provider=${root.connstr}`);
  });
  after(() => set[Symbol.asyncDispose]());

  it("applies the events of the root once, in order", async () => {
    await using worker = leaf.startWorker();
    await produce(root, ["a", "b"]);
    await produce(root, []);
    const last = await produce(root, ["c"]);
    await waitForTick(leaf, last, worker);
    const rows = await leaf.applied();
    assert.deepEqual(
      rows.map((row) => row.ev_type),
      ["a", "b", "c"],
    );
    assert.equal(rows[0]!.ev_data, "data of 1");
  });

  it("takes several ticks at once while it is behind, without waiting for more events at the end", async () => {
    const opened = async () => {
      const [row] = await root.query<{ batches: number }>(
        "select last_value::int4 as batches from pgq.batch_id_seq",
      );
      return row!.batches;
    };
    const before = await opened();
    const known = (await leaf.applied()).length;
    const types = Array.from({ length: 12 }, (_, nr) => `late${nr}`);
    let last = "";
    for (const type of types) last = await produce(root, [type]);
    await using worker = leaf.startWorker();
    await waitForTick(leaf, last, worker);
    const batches = (await opened()) - before;
    assert.ok(batches < 10, `${batches} batches for 12 ticks`);
    assert.deepEqual(
      (await leaf.applied()).slice(known).map((row) => row.ev_type),
      types,
    );
    await waitForTick(leaf, await produce(root, ["soon"]), worker);
  });

  it("knows members that join later", async () => {
    const late = await set.member("late", 1);
    await late.command("create-leaf", "tartu", late.connstr, `--provider=${root.connstr}`);
    await using worker = leaf.startWorker();
    await waitForTick(leaf, await produce(root, []), worker);
    await waitFor("the location of tartu on riga", async () => {
      const { stdout } = await leaf.command("members", "--json");
      return stdout.includes('"tartu"');
    });
  });
});
