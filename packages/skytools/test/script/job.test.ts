import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryLog } from "@skytools/testbed";
import { Config, createJob, frameworkConfig, type Program } from "#src/index.js";

const program: Program = {
  service: "s",
  version: "1",
  summary: "x",
  config: [],
  switches: [
    { flags: "--force", doc: "force" },
    { flags: "--node <name>", doc: "node" },
    { flags: "--table <name>", doc: "table", repeatable: true },
  ],
};

function job(switches: Record<string, unknown>) {
  const config = Config.parse("[s]\n", "s", { file: "jobs/one.ini", groups: [frameworkConfig] });
  return createJob(program, { config, log: memoryLog(), switches });
}

test("switches are asked for by name, and a name that no switch has is a mistake", () => {
  const given = job({ force: true, node: "n1", table: ["a", "b"] });
  assert.equal(given.name, "one");
  assert.equal(given.flag("force"), true);
  assert.equal(given.option("node"), "n1");
  assert.deepEqual(given.optionList("table"), ["a", "b"]);
  const bare = job({});
  assert.deepEqual(
    [bare.flag("force"), bare.option("node"), bare.optionList("table")],
    [false, undefined, []],
  );
  assert.throws(() => bare.flag("froce"), /has no switch "froce"/);
});

test("a stop ends the sleep that is under way and all later ones", async () => {
  const stopped = job({});
  const sleep = stopped.sleep(1e9);
  stopped.requestStop();
  await sleep;
  await stopped.sleep(1e9);
  assert.equal(stopped.isStopping, true);
  assert.equal(stopped.abort.aborted, false);
});
