import assert from "node:assert/strict";
import { it } from "node:test";
import { runProgram, startCluster, startProgram, temporaryDirectory, waitFor } from "@skytools/testbed";
import { pgqdFile } from "./fixture/ini-file.js";
import { originalNodes, tickOften } from "./fixture/original-nodes.js";
import { original, skipWithout } from "./fixture/originals.js";

const content =
  "select coalesce(string_agg(o::text, ',' order by id), '') as rows, (select count(*)::int from later) as later from orders o";

it("our Londiste says what to run where the original schemas lack something, and goes on once that was done", {
  skip: skipWithout("postgresql-15-pgq3", "postgresql-15-pgq-node", "postgresql-15-londiste-sql"),
}, async () => {
  await using cluster = await startCluster({ binDir: original.binDir });
  await using directory = await temporaryDirectory("original-schemas");
  const connstrs = await originalNodes(cluster, directory.path, "londiste3");
  const tryLondiste = (node: string, ...args: readonly string[]) =>
    runProgram("londiste3", [`${node}.ini`, ...args], { cwd: directory.path });
  const londiste = async (node: string, ...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await tryLondiste(node, ...args);
    assert.equal(code, 0, `${args.join(" ")}: ${stdout}${stderr}`);
    return stdout;
  };
  await londiste("root", "create-root", "root", connstrs.root);
  await tickOften(cluster);
  await londiste("leaf", "create-leaf", "leaf", connstrs.leaf, `--provider=${connstrs.root}`);
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
  await waitFor("the worker to say the same", () => older.test(leafWorker.stderrText()), { onTimeout: logs });

  const upgrade = await runProgram("skytools_upgrade3", Object.values(connstrs));
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
    { onTimeout: logs },
  );
  await londiste("leaf", "compare");
});
