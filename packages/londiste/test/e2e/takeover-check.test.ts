import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { CascadeAdmin } from "@skytools/pgq/cascade";
import { Database } from "@skytools/skytools";
import {
  type Cluster,
  runProgram,
  startCluster,
  type TemporaryDirectory,
  temporaryDirectory,
} from "@skytools/testbed";
import { SequenceUse } from "#src/replay/sequence-use.js";
import { newRootSequences } from "#src/table/new-root-sequences.js";
import { silentLog } from "../fixture/apply-bench.js";

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
    const waiting = await runProgram(program, [file("branch"), "wait-sync", "--timeout=0.1"]);
    assert.match(
      waiting.stderr,
      /WARNING branch: worker "branch" is not connected .*: is job "branch" running\?$/m,
    );
    assert.match(waiting.stderr, /tables not in sync: public\.t: waiting/);
    await cluster.query("select londiste.local_set_table_state('q', 'public.t', '1:1:', 'ok')", [], "branch");
    assert.deepEqual(await refusals(), ["table public.t on the new root was copied ahead of the queue"]);
    assert.deepEqual(await refusals("--force"), []);
    await cluster.query("select londiste.local_set_table_state('q', 'public.t', null, 'ok')", [], "branch");
    assert.deepEqual(await refusals(), []);
  });

  it("is refused while one of them is filtered here", async () => {
    await londiste("branch", "change-handler", "t", "--where=id < 5");
    assert.deepEqual(await refusals(), [
      'table public.t is not whole on the new root: handler "filter" keeps only part of it, or something else',
    ]);
    await londiste("branch", "change-handler", "t");
    assert.deepEqual(await refusals(), []);
  });

  it("brings sequences beyond what a root has used faster than it has published, or beyond the rows when it is dead", async () => {
    const { stdout } = await runProgram(program, [file("branch"), "takeover", "root", "--dry-run", "--json"]);
    const { steps } = JSON.parse(stdout) as { steps: { name: string }[] };
    const names = steps.map(({ name }) => name);
    assert.equal(names.indexOf("prepare-root"), names.indexOf("promote") - 1);

    const made =
      "create sequence s; create table numbered (id int primary key default nextval('s')); create table apart (id serial)";
    for (const name of ["root", "branch"]) await cluster.query(made, [], name);
    await londiste("root", "add-seq", "s", "apart_id_seq");
    await londiste("branch", "add-seq", "s", "apart_id_seq");
    await cluster.query("select setval('s', 1000000), setval('apart_id_seq', 7)", [], "root");
    await cluster.query("insert into numbered values (2000000)", [], "branch");
    await using taker = await Database.open(cluster.connstr("branch"));
    await using old = await Database.open(cluster.connstr("root"));
    const admin = { job: { log: silentLog }, queueName: "q" } as unknown as CascadeAdmin;
    const next = async () => {
      const [row] = await cluster.query<{ next: string }>("select nextval('s')::text as next", [], "branch");
      return Number(row?.next);
    };
    await newRootSequences.prepare(admin, taker, old);
    assert.equal(await next(), 1_000_001);
    await newRootSequences.prepare(admin, taker, undefined);
    assert.equal(await next(), 2_000_001);
    await newRootSequences.prepare(admin, taker, old);
    assert.equal(await next(), 2_000_002, "never back");
    const use = new SequenceUse();
    await use.publish(old, "q");
    await cluster.query("select setval('s', 1100000)", [], "root");
    await use.publish(old, "q");
    const published = "select seq_name, last_value::int as value from londiste.seq_info order by nr";
    assert.deepEqual(await cluster.query(published, [], "root"), [
      { seq_name: "public.s", value: 1_100_000 + 3 * 3 * 100_000 },
      { seq_name: "public.apart_id_seq", value: 30_001 },
    ]);
  });
});
