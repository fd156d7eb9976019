import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startCluster } from "@skytools/testbed";
import { Database, DatabaseError, insertRows, UsageError } from "#src/index.js";

const cluster = await startCluster({ settings: { log_statement: "none" } });
const db = await Database.open(cluster.connstr());
after(async () => {
  await db.close();
  await cluster[Symbol.asyncDispose]();
});
await db.execute(
  `create table t(id bigint, "No te" text, ok bool, at timestamptz, raw bytea, list text[], doc jsonb)`,
);
await db.commit();

test("rows of all kinds of values", async () => {
  const rows = [
    {
      id: 12345678901234567890n / 10n,
      "No te": "a\tb\\c\nd",
      ok: true,
      at: new Date("2024-05-01T12:00:00.123Z"),
      raw: new Uint8Array([0, 255]),
      list: ["x,y", null, "null"],
      doc: { a: [1, "\\"] },
    },
    { id: 2, "No te": null, ok: false },
  ];
  assert.equal(await insertRows(db, "t", rows), 2);
  assert.deepEqual(
    await db.query(
      `select id, "No te" as note, ok, extract(epoch from at)::text as at, raw::text, list, doc::text from t order by ok desc`,
    ),
    [
      {
        id: 1234567890123456789n,
        note: "a\tb\\c\nd",
        ok: true,
        at: "1714564800.123000",
        raw: "\\x00ff",
        list: ["x,y", null, "null"],
        doc: '{"a": [1, "\\\\"]}',
      },
      { id: 2n, note: null, ok: false, at: null, raw: null, list: null, doc: null },
    ],
  );
  await db.rollback();
});

test("lists need columns; no rows are no statement; rows may come as they are made", async () => {
  await assert.rejects(insertRows(db, "t", [[1]]), UsageError);
  assert.equal(await insertRows(db, "nowhere", []), 0);
  async function* many() {
    for (let id = 0; id < 20_000; id++) yield [id, `note ${id}`];
  }
  assert.equal(await insertRows(db, "t", many(), { columns: ["id", "No te"] }), 20_000);
  assert.equal(await db.queryValue(`select count(*) from t where "No te" = 'note ' || id`), 20_000n);
  await db.rollback();
});

test("a failure of the source or the server leaves nothing", async () => {
  function* broken() {
    yield { id: 1 };
    throw new Error("source is gone");
  }
  await assert.rejects(insertRows(db, "t", broken()), /source is gone/);
  await db.rollback();
  await assert.rejects(insertRows(db, "t", [{ id: "x" }]), DatabaseError);
  await db.rollback();
  assert.equal(await db.queryValue("select count(*) from t"), 0n);
  await db.rollback();
});
