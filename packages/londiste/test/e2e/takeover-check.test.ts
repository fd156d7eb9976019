import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import {
  type Cluster,
  runProgram,
  startCluster,
  type TemporaryDirectory,
  temporaryDirectory,
} from "@skytools/testbed";

const program = "londiste3";

describe("takeover of a londiste root by a branch without its tables", () => {
  let cluster: Cluster;
  let directory: TemporaryDirectory;

  before(async () => {
    cluster = await startCluster();
    directory = await temporaryDirectory("takeover");
    const root = await cluster.createDatabase("root");
    const branch = await cluster.createDatabase("branch");
    for (const [name, connstr] of [
      ["root", root],
      ["branch", branch],
    ] as const) {
      writeFileSync(file(name), `[londiste3]\ndb = ${connstr}\nqueue_name = q\n`);
      await cluster.query("create table t (id int4 primary key)", [], name);
    }
    await londiste("root", "create-root", "root", root);
    await londiste("branch", "create-branch", "branch", branch, `--provider=${root}`);
    await londiste("root", "add-table", "t");
  });
  after(async () => {
    await cluster[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
  });

  function file(name: string): string {
    return join(directory.path, `${name}.ini`);
  }

  async function londiste(name: string, ...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await runProgram(program, [file(name), ...args]);
    assert.equal(code, 0, stderr);
    return stdout;
  }

  async function refusals(...args: string[]): Promise<string[]> {
    const dry = [file("branch"), "takeover", "root", "--dry-run", "--json", ...args];
    const { code, stdout } = await runProgram(program, dry);
    const { findings } = JSON.parse(stdout) as { findings: { kind: string; text: string }[] };
    const refused = findings.filter(({ kind }) => kind === "refusal").map(({ text }) => text);
    assert.equal(code, refused.length === 0 ? 0 : 1);
    return refused;
  }

  it("T9: is refused while it does not replicate one of them", async () => {
    assert.deepEqual(await refusals(), ["table public.t is not replicated on the new root"]);
    const { code, stderr } = await runProgram(program, [file("branch"), "takeover", "root"]);
    assert.equal(code, 1);
    assert.match(stderr, /takeover of root by branch is refused: table public\.t is not replicated/);
  });

  it("T8: is refused while one is not in sync, or was copied ahead of the queue", async () => {
    await londiste("branch", "add-table", "t");
    assert.deepEqual(await refusals(), ["table public.t is not in sync on the new root (not copied)"]);
    await cluster.query("select londiste.local_set_table_state('q', 'public.t', '1:1:', 'ok')", [], "branch");
    assert.deepEqual(await refusals(), ["table public.t on the new root was copied ahead of the queue"]);
    assert.deepEqual(await refusals("--force"), []);
    await cluster.query("select londiste.local_set_table_state('q', 'public.t', null, 'ok')", [], "branch");
    assert.deepEqual(await refusals(), []);
  });
});
