import { deepEqual, equal, rejects } from "node:assert/strict";
import { test } from "node:test";
import { waitFor } from "@skytools/testbed";
import { databaseFixture } from "../fixture.ts";
import { answer, createRoot, createSubscriber, queueEvents } from "../pgq_node/node.ts";

const fixture = databaseFixture(["pgq", "pgq_node", "londiste"]);

test("a root runs a script once and sends it on", async () => {
  const { db } = await fixture.database();
  await createRoot(db, "aset");
  const start = (): Promise<string> =>
    answer(db, "londiste.execute_start", "aset", "ddl.sql", "drop all", true, "local-table=t1");
  equal(await start(), '200 "Executing: ddl.sql"');
  equal(await start(), '201 "EXECUTE: "ddl.sql" already applied, skipping"');
  equal(await answer(db, "londiste.execute_finish", "aset", "ddl.sql"), '200 "Execute finished: ddl.sql"');
  equal(
    await answer(db, "londiste.execute_finish", "aset", "other.sql"),
    '404 "execute_file called without execute_start"',
  );
  deepEqual(await queueEvents(db, "aset"), [["EXECUTE", "drop all", "ddl.sql", "local-table=t1"]]);
});

test("other nodes record scripts without sending them", async () => {
  const { db } = await fixture.database();
  await createSubscriber(db, "q", "branch", 1n);
  await createRoot(db, "aset");
  const start = (queue: string, expectsRoot: boolean): Promise<string> =>
    answer(db, "londiste.execute_start", queue, "ddl.sql", "drop all", expectsRoot);
  equal(await start("q", true), '401 "Node is not root node: q"');
  equal(await start("q", false), '200 "Executing: ddl.sql"');
  equal(await answer(db, "londiste.execute_finish", "q", "ddl.sql"), '200 "Execute finished: ddl.sql"');
  deepEqual(await queueEvents(db, "q"), []);
  equal(
    await start("aset", true),
    '201 "EXECUTE: "ddl.sql" already applied, skipping"',
    "one id for all queues",
  );
  await rejects(start("zq", false), /queue does not exist: zq/);
});

for (const [ending, expected] of [
  ["commit", '201 "EXECUTE: "ddl.sql" already applied, skipping"'],
  ["rollback", '200 "Executing: ddl.sql"'],
] as const) {
  test(`a second run waits for the first one, which ends with ${ending}`, async () => {
    const { db, another } = await fixture.database();
    await createRoot(db, "aset");
    const first = await another({ autocommit: false });
    const second = await another();
    const start = "select * from londiste.execute_start('aset', 'ddl.sql', 'drop all', true)";
    await first.query(start);
    const waiting = answer(second, "londiste.execute_start", "aset", "ddl.sql", "drop all", true);
    await waitFor("the second run to wait", () =>
      db.queryValue("select true from pg_locks where pid = $1 and not granted", [second.backendPid]),
    );
    await first[ending]();
    equal(await waiting, expected);
  });
}

test("maintenance forgets scripts after three months", async () => {
  const { db } = await fixture.database();
  await createRoot(db, "aset");
  for (const file of ["old.sql", "new.sql"]) {
    await answer(db, "londiste.execute_start", "aset", file, "", true);
  }
  await db.execute(
    "update londiste.applied_execute set execute_time = now() - interval '3 months 1 day' where execute_file = 'old.sql'",
  );
  equal(await db.queryValue("select londiste.periodic_maintenance()"), 0);
  deepEqual(await db.query("select execute_file from londiste.applied_execute"), [
    { execute_file: "new.sql" },
  ]);
});
