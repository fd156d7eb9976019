import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { it } from "node:test";
import { runProgram, startCluster, startProgram, temporaryDirectory, waitFor } from "@skytools/testbed";
import { pgqdFile } from "./fixture/ini-file.js";
import { originalDatabase } from "./fixture/original-modules.js";
import { original, skipWithout } from "./fixture/originals.js";

const nodes = ["root", "leaf"] as const;
const content =
  "select coalesce(string_agg(o::text, ',' order by id), '') as rows, (select count(*)::int from later) as later from orders o";

it("our Londiste says what to run where the original schemas lack something, and goes on once that was done", {
  skip: skipWithout("postgresql-15-pgq3", "postgresql-15-pgq-node", "postgresql-15-londiste-sql"),
}, async () => {
  await using cluster = await startCluster({ binDir: original.binDir });
  await using directory = await temporaryDirectory("original-schemas");
  const connstrs = new Map<string, string>();
  for (const node of nodes) {
    connstrs.set(node, await originalDatabase(cluster, node, ["pgq", "pgq_node", "londiste"]));
    await cluster.query(
      "create table orders (id int primary key, note text); create table later (id int primary key); create sequence numbers",
      [],
      node,
    );
    const lines = [
      `job_name = ${node}_worker`,
      `db = ${connstrs.get(node)}`,
      "queue_name = q",
      `pidfile = ${node}.pid`,
      "loop_delay = 0.1",
      "exception_sleep = 0.2",
    ];
    await writeFile(join(directory.path, `${node}.ini`), `[londiste3]\n${lines.join("\n")}\n`);
  }
  const tryLondiste = (node: string, ...args: readonly string[]) =>
    runProgram("londiste3", [`${node}.ini`, ...args], { cwd: directory.path });
  const londiste = async (node: string, ...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await tryLondiste(node, ...args);
    assert.equal(code, 0, `${args.join(" ")}: ${stdout}${stderr}`);
    return stdout;
  };
  await londiste("root", "create-root", "root", connstrs.get("root")!);
  await cluster.query(
    "update pgq.queue set queue_ticker_max_lag = '50 milliseconds', queue_ticker_idle_period = '1 second'",
    [],
    "root",
  );
  await londiste("leaf", "create-leaf", "leaf", connstrs.get("leaf")!, `--provider=${connstrs.get("root")}`);
  await using ini = await pgqdFile(cluster, { database_list: "root" });
  await using ticker = startProgram("pgqd", [ini.file]);
  const start = (node: string) =>
    startProgram("londiste3", [`${node}.ini`, "worker"], { cwd: directory.path });
  await using rootWorker = start("root");
  await using leafWorker = start("leaf");
  const logs = () => [ticker, rootWorker, leafWorker].map((program) => program.outputTail()).join("\n");

  await cluster.query(
    "insert into orders select g, 'it''s ' || g from generate_series(1, 100) g",
    [],
    "root",
  );
  await londiste("root", "add-table", "orders", "later");
  await londiste("root", "add-seq", "numbers");
  await londiste("leaf", "add-table", "orders", "later");
  await londiste("leaf", "add-seq", "numbers");
  const older =
    /HINT: .*Perhaps the server code in this database is older than this program: .*skytools_upgrade3/;
  const refused = await tryLondiste("leaf", "wait-sync");
  assert.equal(refused.code, 1, refused.stdout + refused.stderr);
  assert.match(refused.stderr, older);
  await waitFor("the worker to say the same", () => older.test(leafWorker.stderrText()), {
    timeoutMs: 60_000,
    onTimeout: logs,
  });

  const upgrade = await runProgram("skytools_upgrade3", [...connstrs.values()]);
  assert.equal(upgrade.code, 0, upgrade.stdout + upgrade.stderr);
  await londiste("leaf", "wait-sync");
  await cluster.query(
    `insert into orders values (101, 'new'); update orders set note = note || '+' where id <= 10; delete from orders where id = 50;
     insert into later values (1); select nextval('numbers')`,
    [],
    "root",
  );
  await waitFor(
    "the leaf to be as the root",
    async () => {
      const [expected] = await cluster.query(content, [], "root");
      const [seen] = await cluster.query(content, [], "leaf");
      return JSON.stringify(seen) === JSON.stringify(expected);
    },
    { timeoutMs: 60_000, onTimeout: logs },
  );
  await londiste("leaf", "compare");
});
