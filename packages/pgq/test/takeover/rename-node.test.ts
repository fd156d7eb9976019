import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { waitFor } from "@skytools/testbed";
import { killAfterEachStep } from "../fixture/kill-after-each-step.js";
import { RunningSet } from "../fixture/running-set.js";

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

  it("knows on a branch how the root's ticker is set, for the day that the root is dead", async () => {
    running.startLoad();
    const root = running.member("oslo");
    await root.query("select pgq.set_queue_config('q', 'ticker_max_lag', '7 seconds')");
    await root.query("select pgq.set_queue_config('q', 'rotation_period', '7 hours')");
    await waitFor("the setting on the branch", async () => {
      const [queue] = await running
        .member("riga")
        .query<{ lag: string; rotation: string }>(
          "select queue_ticker_max_lag::text as lag, queue_rotation_period::text as rotation from pgq.queue",
        );
      assert.notEqual(queue!.rotation, "07:00:00");
      return queue!.lag === "00:00:07";
    });
    await running.stopLoad();
  });

  it("change-location, killed after each step, tells everybody where a node is, and nobody stops", async () => {
    running.startLoad();
    const { connstr } = running.member("riga");
    const location = `${connstr} connect_timeout=17 password=not-shown`;
    const killed = await killAfterEachStep(running.member("tartu"), ["change-location", "vilnius", location]);
    assert.deepEqual(killed, ["locate@vilnius", "locate@tartu", "locate@bergen"]);
    for (const member of running.members.values()) {
      const [row] = await member.query<{ location: string }>(
        "select node_location as location from pgq_node.node_location where node_name = 'vilnius'",
      );
      assert.equal(row!.location, location);
    }
    const shown = await running.command("tartu", "change-location", "vilnius", connstr, "--dry-run");
    assert.doesNotMatch(shown.stdout, /not-shown/);
    await running.assertWhole();
  });

  it("change-location finds a node whose database has moved", async () => {
    const { cluster, connstr } = running.member("riga");
    await running.takeDown("riga");
    await cluster.query("alter database riga rename to elsewhere");
    await cluster.query("alter database elsewhere allow_connections true");
    const moved = cluster.connstr("elsewhere");
    const { stderr } = await running.command("tartu", "change-location", "vilnius", moved);
    assert.match(stderr, /change-location of vilnius: done/);
    const [own] = await cluster.query(
      "select node_location from pgq_node.node_location where node_name = 'vilnius'",
      [],
      "elsewhere",
    );
    assert.deepEqual(own, { node_location: moved });
    await cluster.query("alter database elsewhere allow_connections false");
    await cluster.terminateBackends({ database: "elsewhere" });
    await cluster.query("alter database elsewhere rename to riga");
    await running.bringBack("riga");
    await running.command("tartu", "change-location", "vilnius", connstr);
    running.startWorker("riga");
    await running.assertWhole();
  });

  it("change-location refuses a place where that node is not, and an unknown node", async () => {
    const tartu = running.member("tartu");
    const { cluster, connstr } = running.member("oslo");
    const other = await tartu.run(["change-location", "vilnius", connstr]);
    assert.equal(other.code, 1);
    assert.match(other.stderr, /has node "bergen", not "vilnius"/);
    const nowhere = await tartu.run(["change-location", "vilnius", cluster.connstr("nowhere")]);
    assert.match(nowhere.stderr, /"vilnius" is not reached there: .*nowhere/);
    const unknown = await tartu.run(["change-location", "nobody", connstr]);
    assert.match(unknown.stderr, /Unknown node: nobody/);
    const spelled = await tartu.run(["change-location", "vilnius", "hots=x"]);
    assert.match(spelled.stderr, /invalid connection option "hots".*\n.*"host"/);
    assert.deepEqual([nowhere.code, unknown.code, spelled.code], [1, 1, 1]);
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
