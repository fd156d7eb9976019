import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { CascadeSet, type Member } from "../fixture/cascade-set.js";

describe("creating nodes", () => {
  let set: CascadeSet;
  let root: Member;
  let leaf: Member;

  before(async () => {
    set = await CascadeSet.create(2);
    root = await set.member("root", 0);
    leaf = await set.member("leaf", 1);
  });
  after(() => set[Symbol.asyncDispose]());

  it("names the provider without a node, and changes nothing there or here", async () => {
    const plain = await set.member("plain", 0);
    const result = await leaf.run(["create-leaf", "leaf", leaf.connstr, `--provider=${plain.connstr}`]);
    assert.equal(result.code, 1);
    assert.match(
      result.stderr,
      /provider node not found: queue "q" has no node in plain on .*\n.*Create the provider's node first/,
    );
    assert.deepEqual(await leaf.query("select nspname from pg_namespace where nspname like 'pgq%'"), []);
  });

  it("installs the modules that are missing and says so", async () => {
    const result = await root.command("create-root", "root", root.connstr);
    assert.match(result.stderr, /INFO Installing pgq\n[\s\S]*INFO Installing pgq_node\n[\s\S]*INFO Done\n/);
    const node = await root.command("node-info");
    assert.equal(
      node.stdout,
      `Node: root  Type: root  Queue: q\nStatus: NON-UP-TO-DATE\nProvider: --\nConnect strings:\n  Local   : ${root.connstr}\n  Public  : ${root.connstr}\n`,
    );
  });

  it("prints the steps with --dry-run, and changes nothing", async () => {
    const args = ["create-leaf", "leaf", leaf.connstr, `--provider=${root.connstr}`, "--dry-run", "--json"];
    const { steps } = JSON.parse((await leaf.command(...args)).stdout) as {
      steps: { id: string; isDone: boolean }[];
    };
    assert.deepEqual(
      steps.map(({ id, isDone }) => [id, isDone]),
      [
        ["install@leaf", false],
        ["register-member@root", false],
        ["subscribe@root", false],
        ["create@leaf", false],
      ],
    );
    assert.doesNotMatch((await root.command("members")).stdout, /leaf/);
    assert.deepEqual(await leaf.query("select nspname from pg_namespace where nspname like 'pgq%'"), []);
  });

  it("takes names and locations from the configuration", async () => {
    const member = await set.member("configured", 1, [
      "node_name = tallinn",
      `initial_provider_location = ${root.connstr}`,
      "public_node_location = dbname=x",
    ]);
    const wrong = await member.run(["create-leaf"]);
    assert.match(wrong.stderr, /WARNING No host= in public connect string, bad idea/);
    assert.equal(wrong.code, 1);
    const result = await member.command("create-leaf", "tallinn", member.connstr);
    assert.match(result.stderr, /INFO Done/);
  });

  const leafMistakes: [string, () => string[], RegExp][] = [
    [
      "no name",
      () => ["create-leaf"],
      /Node name must be given either in command line or config\nHINT: .*set node_name/,
    ],
    [
      "no location",
      () => ["create-leaf", "leaf"],
      /Node public location must be given either in command line or config\nHINT: .*set public_node_location/,
    ],
    ["no provider", () => ["create-leaf", "leaf", leaf.connstr], /Please specify --provider/],
    [
      "a location that is another database",
      () => ["create-leaf", "leaf", root.connstr, `--provider=${root.connstr}`],
      /Public connect string points to different database than local connect string \(fail=\d\)/,
    ],
    [
      "a location that does not parse",
      () => ["create-leaf", "leaf", "no-connect-string", `--provider=${root.connstr}`],
      /missing "=" after/,
    ],
    [
      "a provider that does not answer",
      () => ["create-leaf", "leaf", leaf.connstr, "--provider=host=/nonexistent dbname=x"],
      /could not connect to database "x" at \/nonexistent/,
    ],
    [
      "the name of another node",
      () => ["create-leaf", "tallinn", leaf.connstr, `--provider=${root.connstr}`],
      /Node 'tallinn' already exists\nHINT: It is registered at another location: .*dbname=/,
    ],
  ];
  for (const [what, args, message] of leafMistakes) {
    it(`refuses ${what} with one clear line and exit code 1`, async () => {
      const result = await leaf.run(args());
      assert.match(result.stderr, message);
      assert.equal(result.code, 1);
      assert.doesNotMatch(result.stderr, /\n\s+at /);
      assert.deepEqual(await leaf.query("select nspname from pg_namespace where nspname like 'pgq%'"), []);
    });
  }

  it("refuses a leaf as provider", async () => {
    const [tallinn] = await root.query<{ node_location: string }>(
      "select node_location from pgq_node.node_location where node_name = 'tallinn'",
    );
    const result = await leaf.run([
      "create-leaf",
      "leaf",
      leaf.connstr,
      `--provider=${tallinn!.node_location}`,
    ]);
    assert.match(result.stderr, /Cannot subscribe to leaf node "tallinn"/);
    assert.equal(result.code, 1);
  });

  it("refuses a second node of the queue in one database", async () => {
    const result = await root.run(["create-leaf", "other", root.connstr, `--provider=${root.connstr}`]);
    assert.match(result.stderr, /queue "q" already has the root node "root" in this database/);
    assert.equal(result.code, 1);
  });

  it("says that the queue has no node when there is none", async () => {
    for (const command of ["status", "members", "node-info", "pause", "wait-root"]) {
      const result = await leaf.run([command]);
      assert.match(result.stderr, /queue "q" has no node in leaf on/);
      assert.equal(result.code, 1);
    }
  });
});
