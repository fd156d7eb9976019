import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { runProgram } from "@skytools/testbed";
import { assertIdentical, dieAndGoOn } from "../fixture/die-and-go-on.js";
import { loadRows, loadTables } from "../fixture/load.js";
import { NodeSet, type SetNode } from "../fixture/node-set.js";
import { Replication } from "../fixture/replication.js";

const point = "database.after-commit";
/** A command that makes the same commit each time it is run has to come past it. */
const longestStall = 8;

/** Runs a command again and again, each time killed after the first commit that it makes, until it comes to its end.
 * @returns how often it was killed */
async function killAfterEachCommit(node: SetNode, args: readonly string[]): Promise<number> {
  for (let kills = 0; kills < 60; kills += 1) {
    const hit = 1 + Math.floor(kills / longestStall);
    const { code, stderr } = await runProgram("londiste3", [`${node.name}.ini`, ...args], {
      cwd: node.set.directory,
      env: { SKYTOOLS_CRASH_POINT: `${point}=kill:${hit}` },
    });
    if (code === 0) return kills;
    assert.equal(code, 137, `${args.join(" ")}: ${stderr}`);
  }
  throw new Error(`${args.join(" ")} does not come to its end`);
}

describe("commands that are killed after each of their commits, and run again", () => {
  let set: NodeSet;
  let root: SetNode;
  let calm: SetNode;
  let killed: SetNode;
  const tables = `create table t (id serial primary key, v text); create table u (id int primary key);
    create sequence s`;

  before(async () => {
    set = await NodeSet.start();
    set.startTicker();
    root = await set.add("root", {
      type: "root",
      setup: `${tables}; insert into t (v) select 'x' from generate_series(1, 50)`,
    });
    root.startWorker();
    calm = await set.add("calm", { type: "leaf", provider: root, setup: tables });
    killed = await set.add("killed", { type: "leaf", provider: root, setup: tables });
    calm.startWorker();
    killed.startWorker();
    writeFileSync(root.path("script.sql"), "alter table t add column w int default 7;\n");
  });
  after(() => set[Symbol.asyncDispose]());

  async function stateOf(node: SetNode): Promise<unknown> {
    await node.londiste("wait-sync");
    await set.settle(root, node);
    return {
      tables: await node.query(
        "select table_name, local, merge_state, table_attrs, dest_table from londiste.table_info order by 1",
      ),
      sequences: await node.query("select seq_name, local from londiste.seq_info order by 1"),
      scripts: await node.query("select execute_file from londiste.applied_execute order by 1"),
      rows: await node.query("select * from t order by id"),
    };
  }

  for (const args of [
    ["add-table", "t", "u"],
    ["add-seq", "s"],
    ["execute", "script.sql"],
  ]) {
    it(`root: ${args.join(" ")}`, async () => {
      assert.ok((await killAfterEachCommit(root, args)) > 0, "it was never killed");
      assert.deepEqual(await stateOf(killed), await stateOf(calm));
    });
  }

  for (const args of [
    ["add-table", "t", "u"],
    ["add-seq", "s"],
    ["resync", "t"],
    ["change-handler", "u", "--handler=filter", "--handler-arg=where=id > 5"],
    ["remove-seq", "s"],
    ["remove-table", "u"],
    ["pause"],
    ["resume"],
    ["rename-node", "killed", "renamed"],
  ]) {
    it(`leaf: ${args.join(" ")}`, async () => {
      assert.ok((await killAfterEachCommit(killed, args)) > 0, "it was never killed");
      if (args[0] !== "rename-node") await calm.londiste(...args);
      if (args[0] === "pause") return;
      await root.query("insert into t (v) values ('more')");
      assert.deepEqual(await stateOf(killed), await stateOf(calm));
    });
  }
});

describe("a worker or copier that dies after any of its commits", () => {
  let stage: Replication;

  before(async () => {
    stage = await Replication.startNodes(loadTables, {
      pgq_batch_collect_events: "1000",
      pgq_batch_collect_interval: "300 milliseconds",
    });
    await stage.run("root", loadRows(2_000));
    await stage.londiste("root", "add-table", "account", "history");
    await stage.londiste("leaf", "add-table", "account", "history", "--wait-sync");
    await assertIdentical(stage);
  });
  after(() => stage[Symbol.asyncDispose]());

  for (let hit = 1; hit <= 24; hit += 1) {
    it(`goes on after its commit number ${hit}`, () =>
      dieAndGoOn(stage, `${point}=kill:${hit}`, hit % 2 === 0 ? "account" : "history"));
  }

  for (let hit = 1; hit <= 8; hit += 1) {
    it(`goes on after statement number ${hit} of those that are transactions of their own`, () =>
      dieAndGoOn(stage, `database.after-statement=kill:${hit}`, hit % 2 === 0 ? "account" : "history"));
  }
});
