import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { moduleSql } from "@skytools/sql";
import {
  type Cluster,
  type ProgramResult,
  runProgram,
  startCluster,
  type TemporaryDirectory,
  temporaryDirectory,
} from "@skytools/testbed";

const program = fileURLToPath(new URL("../../bin/setadm3.js", import.meta.url));

describe("setadm3", () => {
  let cluster: Cluster;
  let directory: TemporaryDirectory;
  const connstrs = new Map<string, string>();

  before(async () => {
    cluster = await startCluster();
    directory = await temporaryDirectory("setadm");
    for (const name of ["root", "branch", "leaf"]) {
      const connstr = await cluster.createDatabase(name);
      connstrs.set(name, connstr);
      writeFileSync(file(name), `[setadm3]\nnode_db = ${connstr}\n`);
    }
  });
  after(async () => {
    await cluster[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
  });

  function file(name: string): string {
    return join(directory.path, `${name}.ini`);
  }

  async function setadm(name: string, ...args: string[]): Promise<ProgramResult> {
    return runProgram(program, [file(name), "--queue=q", ...args]);
  }

  async function must(name: string, ...args: string[]): Promise<ProgramResult> {
    const result = await setadm(name, ...args);
    assert.equal(result.code, 0, result.stderr);
    return result;
  }

  it("creates root, branch and leaf for the workers that are named, and shows them", async () => {
    const unnamed = await setadm("root", "create-root", "root", connstrs.get("root")!);
    assert.equal(unnamed.code, 1);
    assert.match(unnamed.stderr, /--worker required/);
    const dry = await must("root", "install", "--dry-run");
    assert.equal(dry.stdout, "install module pgq\ninstall module pgq_node\n");
    await must("root", "install");
    await must("root", "create-root", "root", connstrs.get("root")!, "--worker=root_w");
    for (const name of ["branch", "leaf"]) {
      const provider = connstrs.get(name === "leaf" ? "branch" : "root")!;
      const args = [name, connstrs.get(name)!, `--provider=${provider}`, `--worker=${name}_w`];
      await must(name, `create-${name}`, ...args);
    }
    const { stdout } = await must("leaf", "status");
    assert.match(stdout, /root \(root\)[\s\S]*\+--: branch \(branch\)[\s\S]*\+--: leaf \(leaf\)/);
  });

  it("has the switches that takeover needs, and prints its plan", async () => {
    const args = ["takeover", "root", "--all", "--target=branch", "--dry-run"];
    const { stdout } = await must("leaf", ...args);
    assert.match(stdout, /^takeover of root by branch with all its subscribers$/m);
    const json = JSON.parse((await must("leaf", ...args, "--json")).stdout) as { steps: { id: string }[] };
    assert.equal(json.steps.at(-1)?.id, "unsubscribe@root");
  });

  it("leaves a set with tables to londiste3 where that looks at them, unless told not to", async () => {
    await cluster.query(await moduleSql("londiste"), [], "root");
    await must("root", "rename-node", "root", "other", "--dry-run");
    await cluster.query("select londiste.global_add_table('q', 'public.t')", [], "root");
    for (const args of [
      ["takeover", "root", "--target=branch"],
      ["rename-node", "root", "other"],
    ]) {
      const { code, stderr } = await setadm("root", ...args, "--dry-run");
      assert.equal(code, 1);
      assert.match(stderr, new RegExp(`queue "q" replicates 1 tables .*\n.*londiste3 CONFIG ${args[0]}`));
    }
    await must("root", "takeover", "root", "--target=branch", "--force", "--dry-run");
    await must("root", "tag-dead", "leaf", "--dry-run");
  });
});
