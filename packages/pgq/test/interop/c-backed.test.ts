import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { describe, it } from "node:test";
import { CascadeSet, produce, waitForTick } from "../fixture/cascade-set.js";

const binDir = "/usr/lib/postgresql/15/bin";
const hasOriginal =
  existsSync(binDir) &&
  ["pgq", "pgq_node"].every((name) => existsSync(`/usr/share/postgresql/15/extension/${name}.control`));

describe("a cascade over the original pgq and pgq_node 3.5 and ours", {
  skip: !hasOriginal && "postgresql-15-pgq3 and postgresql-15-pgq-node are not installed",
}, () => {
  for (const original of ["root", "branch", "leaf"]) {
    it(`works with the original on the ${original}`, async () => {
      await using set = await CascadeSet.create(1);
      const theirs = await set.addCluster({ binDir });
      const indexOf = (name: string) => (name === original ? theirs : 0);
      const root = await set.member("root", indexOf("root"));
      const branch = await set.member("branch", indexOf("branch"), ["local_wm_publish_period = 0"]);
      const leaf = await set.member("leaf", indexOf("leaf"), ["local_wm_publish_period = 0"]);
      const member = { root, branch, leaf }[original]!;
      await member.query("create extension pgq");
      await member.query("create extension pgq_node");
      const created = await root.command("create-root", "oslo", root.connstr);
      assert.equal(/pgq_node is installed/.test(created.stderr), original === "root");
      await branch.command("create-branch", "riga", branch.connstr, `--provider=${root.connstr}`);
      await leaf.command("create-leaf", "tartu", leaf.connstr, `--provider=${branch.connstr}`);
      await using rootWorker = root.startWorker();
      await using branchWorker = branch.startWorker();
      await using leafWorker = leaf.startWorker();
      await produce(root, ["a", "b"]);
      const last = await produce(root, ["c"]);
      await waitForTick(branch, last, branchWorker);
      await waitForTick(leaf, last, leafWorker);
      const types = (await leaf.applied()).map((row) => row.ev_type);
      assert.deepEqual(types, ["a", "b", "c"]);
      assert.match((await leaf.command("status")).stdout, /\+--: tartu \(leaf\)/);
      const log = rootWorker.stderrText() + branchWorker.stderrText() + leafWorker.stderrText();
      assert.doesNotMatch(log, /ERROR|WARNING/);
      await leaf.command("drop-node", "riga").then(
        () => assert.fail("a node with subscribers was dropped"),
        (error: unknown) => assert.match(String(error), /node still has subscribers/),
      );
      await root.command("drop-node", "tartu");
    });
  }
});
