import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import type { Database } from "@skytools/skytools";
import { databaseFixture } from "../fixture.ts";
import { answer, createRoot, createSubscriber } from "../pgq_node/node.ts";
import { tableList, triggersOf } from "./replication.ts";

const fixture = databaseFixture(["pgq", "pgq_node", "londiste"]);

/** Leafs part1, part2 and part3 that are merged into the queue `combined`, all knowing public.t. */
async function mergeDatabase(combinedType: "root" | "branch"): Promise<Database> {
  const { db } = await fixture.database();
  if (combinedType === "root") await createRoot(db, "combined");
  else await createSubscriber(db, "combined", "branch", 1n);
  for (const queue of ["part1", "part2", "part3"])
    await createSubscriber(db, queue, "leaf", 100n, "combined");
  await db.execute("create table t (id int4 primary key, data text)");
  return db;
}

async function makeKnown(db: Database, ...queues: readonly string[]): Promise<void> {
  for (const queue of queues) {
    equal(await answer(db, "londiste.global_add_table", queue, "t"), '200 "Table added: t"');
  }
}

const addTable = (db: Database, queue: string, tokens: readonly string[]): Promise<string> =>
  answer(db, "londiste.local_add_table", queue, "t", tokens);

/** `queue state` of the queues where public.t is local. */
async function localQueues(db: Database): Promise<string[]> {
  const rows = await db.query<{ text: string }>(
    `select queue_name || ' ' || coalesce(merge_state, 'null') as text
       from londiste.table_info where local order by queue_name`,
  );
  return rows.map(({ text }) => text);
}

test("merge_all attaches every source and the combined root", async () => {
  const db = await mergeDatabase("root");
  await makeKnown(db, "part1", "part2");
  equal(await addTable(db, "part1", ["merge_all"]), '200 "Table added: public.t"');
  deepEqual(await localQueues(db), ["combined ok", "part1 null", "part2 null"]);
  deepEqual(
    (await triggersOf(db, "t")).filter((one) => !/combined_(begin|delete|insert|update) /.test(one)),
    [
      "_londiste_combined pgq.capture_json(combined,ev_extra1='public.t')",
      "_londiste_combined_truncate londiste.log_truncate(combined,public.t)",
      "_londiste_part1 pgq.logutriga(part1,deny)",
      "_londiste_part1_truncate pgq.sqltriga(part1,deny)",
    ],
  );
});

test("several sources have to be asked for, and nothing changes when they are not", async () => {
  const db = await mergeDatabase("root");
  await makeKnown(db, "part1", "part2");
  equal(
    await addTable(db, "part1", []),
    '405 "Found multiple sources for table public.t, use merge-all or no-merge to continue"',
  );
  deepEqual(await localQueues(db), []);
  equal(await addTable(db, "part1", ["no_merge"]), '200 "Table added: public.t"');
  deepEqual(await localQueues(db), ["part1 null"]);
  equal(
    await addTable(db, "part2", ["merge_all"]),
    '405 "Found local table public.t in queue part1, use remove-table first to remove all previous table subscriptions"',
  );
  equal(await addTable(db, "part2", ["no_merge"]), '200 "Table added: public.t"');
  deepEqual(await localQueues(db), ["part1 null", "part2 null"]);
});

test("under a combined branch all parts are in sync at once, the branch copies from its root", async () => {
  const db = await mergeDatabase("branch");
  await makeKnown(db, "part1", "part2");
  equal(await addTable(db, "part1", []), '200 "Table added: public.t"');
  deepEqual(await localQueues(db), ["combined null", "part1 ok", "part2 ok"]);
});

test("attributes and virtual tables are registered everywhere", async () => {
  const db = await mergeDatabase("root");
  await makeKnown(db, "part1", "part2");
  equal(
    await answer(
      db,
      "londiste.local_add_table",
      "part1",
      "t",
      ["merge_all", "virtual_table"],
      "handler=vtable",
    ),
    '200 "Table added with no triggers: public.t"',
  );
  for (const queue of ["part1", "part2", "combined"]) {
    deepEqual(await tableList(db, queue), [
      {
        table_name: "public.t",
        local: true,
        merge_state: "ok",
        table_attrs: "handler=vtable",
        copy_pos: 0,
      },
    ]);
  }
});

test("plain leafs without a combined queue merge, too", async () => {
  const { db } = await fixture.database();
  await db.execute("create table t (id int4 primary key)");
  for (const queue of ["a", "b"]) {
    await createSubscriber(db, queue, "leaf", 1n);
    await makeKnown(db, queue);
  }
  equal(await addTable(db, "b", ["merge_all"]), '200 "Table added: public.t"');
  deepEqual(await localQueues(db), ["a null", "b null"]);
});

test("expect_sync on one queue leaves the running copy of another alone", async () => {
  const { db } = await fixture.database();
  await db.execute("create table t (id int4 primary key)");
  for (const queue of ["a", "b", "c"]) {
    await createSubscriber(db, queue, "leaf", 1n);
    await makeKnown(db, queue);
  }
  await addTable(db, "a", ["no_merge"]);
  await answer(db, "londiste.local_set_table_state", "a", "t", null, "catching-up");
  equal(await addTable(db, "b", ["expect_sync"]), '200 "Table added: public.t"');
  deepEqual(await localQueues(db), ["a catching-up", "b ok", "c ok"]);
});

test("a table whose key a merge copy has dropped can be added to another part", async () => {
  const db = await mergeDatabase("root");
  await makeKnown(db, "part1", "part2");
  await addTable(db, "part1", ["no_merge"]);
  await answer(db, "londiste.local_set_table_state", "part1", "t", null, "in-copy");
  await answer(
    db,
    "londiste.local_set_table_struct",
    "part1",
    "public.t",
    "alter table t add primary key (id)",
  );
  await db.execute("alter table t drop constraint t_pkey");
  equal(await addTable(db, "part2", ["no_merge"]), '200 "Table added: public.t"');
  await createSubscriber(db, "stranger", "leaf", 1n);
  await makeKnown(db, "stranger");
  equal(await addTable(db, "stranger", []), '400 "Primary key missing on table: public.t"');
});

const states: Readonly<Record<string, string>> = { I: "in-copy", C: "catching-up" };
const letters: Readonly<Record<string, string>> = { lead: "L", "wait-copy": "P", "wait-replay": "R" };

/** States of three parts (I in-copy, C catching-up, * holds dropped DDL) and the role of each (L lead, P wait-copy,
 * R wait-replay, - none). Source: spec/sql-node-londiste.md 11.9 */
const roles: readonly (readonly [string, string])[] = [
  ["C* C C", "- R R"],
  ["C* C I", "R R R"],
  ["C* I C", "R R R"],
  ["C* I I", "R R R"],
  ["I* C C", "L R R"],
  ["I* C I", "L R R"],
  ["I* I C", "L R R"],
  ["I* I I", "L R R"],
  ["C C* C", "R - R"],
  ["C C* I", "R R R"],
  ["C I* C", "R L R"],
  ["C I* I", "R L R"],
  ["I C* C", "R R R"],
  ["I C* I", "R R R"],
  ["I I* C", "R L R"],
  ["I I* I", "R L R"],
  ["C C C*", "R R -"],
  ["C C I*", "R R L"],
  ["C I C*", "R R R"],
  ["C I I*", "R R L"],
  ["I C C*", "R R R"],
  ["I C I*", "R R L"],
  ["I I C*", "R R R"],
  ["I I I*", "R R L"],
  ["C C C", "- - -"],
  ["C C I", "- - R"],
  ["C I C", "- R -"],
  ["C I I", "- R R"],
  ["I C C", "R - -"],
  ["I C I", "R - R"],
  ["I I C", "R R -"],
  ["I I I", "L P P"],
];

test("copies of one table are coordinated in every combination", async () => {
  const db = await mergeDatabase("root");
  await makeKnown(db, "part1", "part2", "part3");
  await addTable(db, "part1", ["merge_all"]);
  for (const [given, expected] of roles) {
    const updates = given.split(" ").map((part, at) => {
      const ddl = part.endsWith("*") ? "'ddl'" : "null";
      return `update londiste.table_info set merge_state = '${states[part.charAt(0)]}', dropped_ddl = ${ddl}
        where queue_name = 'part${at + 1}'`;
    });
    await db.execute(updates.join(";"));
    const found: string[] = [];
    for (const queue of ["part1", "part2", "part3"]) {
      const role = (await tableList(db, queue))[0]?.copy_role;
      found.push(typeof role === "string" ? (letters[role] ?? role) : "-");
    }
    equal(found.join(" "), expected, given);
  }
});

test("copies are ranked by the bytes of the queue names, those who wait included", async () => {
  const db = await mergeDatabase("root");
  await createSubscriber(db, "Part0", "leaf", 1n, "combined");
  await makeKnown(db, "part1", "part2", "Part0");
  await addTable(db, "part1", ["merge_all"]);
  await db.execute("update londiste.table_info set merge_state = 'in-copy' where queue_name ilike 'part%'");
  const positions: unknown[] = [];
  for (const queue of ["Part0", "part1", "part2"]) {
    const [one] = await tableList(db, queue);
    positions.push(`${String(one?.copy_role)} ${String(one?.copy_pos)}`);
  }
  deepEqual(positions, ["lead 0", "wait-copy 1", "wait-copy 2"]);
});
