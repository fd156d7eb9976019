import assert from "node:assert/strict";
import { test } from "node:test";
import { RandomSource, startCluster } from "@skytools/testbed";
import { arrivals } from "#src/arrivals.js";
import { allTables } from "#src/chaos-tables.js";

const rounds = 24;

test("what a writer does to a table never fails while it is alone, and leaves rows", async () => {
  await using cluster = await startCluster();
  for (const { create } of allTables) await cluster.query(create);
  await cluster.query(arrivals);
  const random = new RandomSource(1);
  for (const { name, statements } of allTables.filter((table) => table.statements.length > 0)) {
    for (let nr = 0; nr < rounds; nr += 1) {
      await cluster.query(statements[nr % statements.length]!(random));
    }
    const [row] = await cluster.query<{ is_used: boolean }>(`select exists (select from ${name}) as is_used`);
    assert.ok(row!.is_used, `${name} is empty`);
  }
  const [moved] = await cluster.query<{ swapped: number; left: number }>(
    "select count(*) filter (where place <> id)::int4 as swapped, count(*) filter (where place is null)::int4 as left from public.seat",
  );
  assert.ok(moved!.swapped > 0 && moved!.left > 0, JSON.stringify(moved));
});
