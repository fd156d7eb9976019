import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { killAfterEachStep, RunningSet } from "../fixture/running-set.js";

describe("rename-node under load", () => {
  let running: RunningSet;

  before(async () => {
    running = await RunningSet.create(
      {
        oslo: { type: "root", provider: null },
        riga: { type: "branch", provider: "oslo" },
        tartu: { type: "leaf", provider: "riga" },
      },
      ["local_wm_publish_period = 0"],
    );
    running.startLoad();
  });
  after(() => running[Symbol.asyncDispose]());

  async function names(name: string): Promise<string[]> {
    const rows = await running
      .member(name)
      .query<{ name: string }>("select node_name as name from pgq_node.node_location order by 1");
    return rows.map((row) => row.name);
  }

  for (const [oldName, newName, member] of [
    ["riga", "vilnius", "riga"],
    ["oslo", "bergen", "oslo"],
  ] as const) {
    it(`renames ${oldName}, killed after each step, and nobody stops`, async () => {
      running.startLoad();
      await killAfterEachStep(running.member("riga"), ["rename-node", oldName, newName]);
      for (const each of running.members.keys()) {
        const known = await names(each);
        assert.ok(known.includes(newName) && !known.includes(oldName), `${each}: ${known.join(" ")}`);
        const consumers = await running
          .member(each)
          .query<{ name: string }>("select consumer_name as name from pgq.get_consumer_info('q')");
        assert.ok(consumers.every(({ name }) => name !== `.${oldName}.watermark`));
      }
      running.rename(member, newName);
      await running.assertWhole();
    });
  }

  it("renames in the list of sync_watermark too, when run again for a node that was told by the queue only", async () => {
    const riga = running.member("riga");
    await riga.query("select pgq_node.set_node_attrs('q', 'sync_watermark=riga%2Ctartu')");
    await running.command("tartu", "rename-node", "riga", "vilnius");
    const [row] = await riga.query<{ attributes: string }>(
      "select node_attrs as attributes from pgq_node.node_info",
    );
    assert.equal(row!.attributes, "sync_watermark=vilnius%2ctartu");
    await riga.query("select pgq_node.set_node_attrs('q', null)");
  });

  it("refuses a name in use, and an unknown node", async () => {
    const used = await running.member("riga").run(["rename-node", "vilnius", "tartu"]);
    assert.equal(used.code, 1);
    assert.match(used.stderr, /Node 'tartu' already exists/);
    const unknown = await running.member("riga").run(["rename-node", "nobody", "somebody"]);
    assert.match(unknown.stderr, /node "nobody" is not known/);
  });

  it("lists the consumers of a node", async () => {
    const { stdout } = await running.command("riga", "show-consumers", "--node=tartu");
    assert.match(stdout, /^Consumers of tartu@q:\n.*\n.*\ntartu_worker +vilnius +\d+ +False +True +None\n/);
    const json = await running.command("riga", "show-consumers", "--node=tartu", "--json");
    const { consumers } = JSON.parse(json.stdout) as { consumers: { lastTick: unknown }[] };
    assert.match(consumers[0]!.lastTick as string, /^\d+$/);
  });
});
