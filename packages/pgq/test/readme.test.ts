import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { type Cluster, startCluster, startProgram, waitFor } from "@skytools/testbed";
import { QueueDatabase } from "./fixture/queue-database.js";

const here = dirname(fileURLToPath(import.meta.url));
const readme = readFileSync(join(here, "..", "README.md"), "utf8");
const examples = [...readme.matchAll(/```js\n(.*?)```/gs)].map(([, code]) => code!);

/** Programs lie where the package's own name resolves. */
function programFile(name: string, code: string): string {
  const directory = join(here, "readme");
  mkdirSync(directory, { recursive: true });
  const file = join(directory, `${name}.js`);
  writeFileSync(file, code);
  return file;
}

describe("the examples of the README", () => {
  let cluster: Cluster;

  before(async () => {
    cluster = await startCluster();
  });
  after(() => cluster[Symbol.asyncDispose]());

  it("the loop of one's own reads what it has written", async () => {
    const code = examples[0]!;
    const queue = await QueueDatabase.create(cluster, "shop");
    await queue.query("select pgq.create_queue('orders')");
    assert.ok(code.trim().split("\n").length <= 14, "ten lines and the imports");
    const connstr = "host=/var/run/postgresql dbname=shop";
    assert.ok(code.includes(connstr));
    await using program = startProgram(programFile("loop", code.replace(connstr, queue.connstr)), []);
    await waitFor(
      "the event",
      async () => {
        await queue.query("select pgq.force_tick('orders')");
        await queue.query("select pgq.ticker('orders')");
        return /^\d+n new id=7$/m.test(program.stdoutText());
      },
      { onTimeout: () => program.outputTail() },
    );
    assert.equal(program.stderrText(), "");
  });

  it("the daemon registers, prints its events and ends on SIGINT", async () => {
    const code = examples[1]!;
    const queue = await QueueDatabase.create(cluster, "daemon");
    assert.ok(code.trim().split("\n").length <= 20, "a consumer in twenty lines");
    const file = programFile("mailer", code);
    const config = programFile("mailer-ini", "").replace(/\.js$/, ".ini");
    writeFileSync(config, `[mailer]\nsrc_db = ${queue.connstr}\nqueue_name = q\nloop_delay = 0.1\n`);
    await using registration = startProgram(file, [config, "--register"]);
    assert.equal((await registration.exit).code, 0, registration.outputTail());
    await queue.produce("first", "second");
    await using daemon = startProgram(file, [config]);
    await daemon.waitForOutput(/mail to first\nmail to second/);
    await daemon.waitForOutput(/count: 2/);
    daemon.signal("SIGINT");
    assert.equal((await daemon.exit).code, 0);
  });
});
