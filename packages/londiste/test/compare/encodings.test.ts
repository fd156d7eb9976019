import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Database } from "@skytools/skytools";
import { type Cluster, startCluster } from "@skytools/testbed";
import { loadTargetTables } from "#src/apply/target-table.js";
import type { AlignedSides } from "#src/compare/aligned-sides.js";
import { type DifferentKey, differentKeys } from "#src/compare/different-keys.js";
import { differInEncoding } from "#src/compare/server-encodings.js";
import { type RowSelection, tableChecksum } from "#src/compare/table-checksum.js";

let cluster: Cluster;

before(async () => {
  cluster = await startCluster();
  for (const encoding of ["LATIN1", "EUC_JP", "SQL_ASCII"]) {
    await cluster.query(`create database ${encoding} template template0 encoding '${encoding}' locale 'C'`);
  }
});

after(async () => {
  await cluster[Symbol.asyncDispose]();
});

async function selection(db: Database, isPortable: boolean): Promise<RowSelection> {
  const shape = (await loadTargetTables(db, ["public.t"])).get("public.t")!;
  return { from: shape.sqlName, columns: shape.columns, key: shape.columns.slice(0, 1), isPortable };
}

const texts = {
  LATIN1: ["a", "ä", "é", "z", "ÿ", "abc"],
  EUC_JP: ["a", "ｱ", "亜", "腕", "α", "я", "、"],
};

for (const encoding of ["LATIN1", "EUC_JP"] as const) {
  test(`${encoding} and UTF8: equal rows are equal, and those that differ are found`, async () => {
    await using source = await Database.open(cluster.connstr(encoding.toLowerCase()));
    await using target = await Database.open(cluster.connstr());
    for (const db of [source, target]) {
      await db.execute("drop table if exists t; create table t (k text primary key, v text)");
      await db.query("insert into t select k, k || k from unnest($1::text[]) k", [texts[encoding]]);
      await db.commit();
    }
    const isPortable = await differInEncoding(source, target);
    const sides = {
      source: await selection(source, isPortable),
      target: await selection(target, isPortable),
    } as AlignedSides;
    const sums = async () => [
      await tableChecksum(source, sides.source, false),
      await tableChecksum(target, sides.target, false),
      await tableChecksum(source, { ...sides.source, limit: 4 }, false),
      await tableChecksum(target, { ...sides.target, limit: 4 }, false),
    ];
    const equal = await sums();
    assert.deepEqual(equal[0], equal[1]);
    assert.deepEqual(equal[2], equal[3]);
    assert.notDeepEqual(equal[0], equal[2]);

    const [changed, missing] = texts[encoding].slice(1, 3);
    await target.query("update t set v = 'other' where k = $1", [changed]);
    await target.query("delete from t where k = $1", [missing]);
    const found: DifferentKey[] = [];
    for await (const key of differentKeys(source, target, sides)) found.push(key);
    const sorted = (keys: readonly DifferentKey[]) => keys.toSorted((a, b) => (a.kind < b.kind ? -1 : 1));
    assert.deepEqual(sorted(found), [
      { key: [changed], kind: "changed" },
      { key: [missing], kind: "missing" },
    ]);
  });
}

test("bytes of a database without encoding are compared as they are", async () => {
  await using source = await Database.open(cluster.connstr("sql_ascii"));
  await using target = await Database.open(cluster.connstr());
  assert.equal(await differInEncoding(source, target), false);
  assert.equal(await differInEncoding(target, target), false);
});
