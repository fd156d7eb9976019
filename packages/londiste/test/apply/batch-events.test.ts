import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Database } from "@skytools/skytools";
import type { ApplyInput } from "#src/apply/apply-input.js";
import { BatchEvents } from "#src/apply/batch-events.js";
import { parseEventLine } from "#src/apply/event-line.js";
import { inOrderOfIds } from "#src/apply/line-blocks.js";
import { ApplyBench, jsonEvent, silentLog } from "../fixture/apply-bench.js";

let bench: ApplyBench;
let source: Database;

before(async () => {
  bench = await ApplyBench.start();
  source = await Database.open(bench.connstr);
});

after(async () => {
  await source.close();
  await bench[Symbol.asyncDispose]();
});

/** @param ids in the order in which the server finds them */
async function input(ids: readonly number[], expectedEvents: number, bytes = 10): Promise<ApplyInput> {
  await source.rollback();
  await bench.source.execute("truncate ev");
  await bench.source.query(
    `insert into ev (ev_id, ev_type, ev_extra1, ev_data)
     select id, 'I', 'public.t', repeat('x', $2) from unnest($1::int8[]) with ordinality as e(id, nr) order by nr`,
    [ids, bytes],
  );
  return {
    source,
    target: bench.target,
    log: silentLog,
    batchId: 1n,
    tickId: 2n,
    tickTime: "2026-01-01 00:00:00+00",
    queueName: "q",
    eventQuery: "select * from ev order by 1",
    tables: new Map([["public.t", { name: "public.t", destination: "public.t" }]]),
    handlers: new Map(),
    limits: { tableBytes: 1000, totalBytes: 1000, orderedEvents: 1000 },
    expectedEvents,
    onControlEvent: async () => {},
  };
}

async function idsOf(blocks: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<number[]> {
  const ids: number[] = [];
  for await (const block of blocks) {
    for (const line of block.toString("latin1").trimEnd().split("\n"))
      ids.push(Number(parseEventLine(line).id));
  }
  return ids;
}

function scrambled(count: number): number[] {
  return Array.from({ length: count }, (_, nr) => ((nr * 7919) % count) + 1);
}

function inOrder(count: number): number[] {
  return Array.from({ length: count }, (_, nr) => nr + 1);
}

test("few events come in the order of their ids, wherever the server finds them", async () => {
  await using events = await BatchEvents.inAnyOrder(await input(scrambled(999), 5));
  assert.equal(events.isOrdered, true);
  assert.deepEqual(await idsOf(events.blocks()), inOrder(999));
});

for (const expected of [5, 1_000_000]) {
  test(`many events come as the server finds them, where ${expected} were expected`, async () => {
    await using events = await BatchEvents.inAnyOrder(await input(scrambled(3001), expected));
    assert.equal(events.isOrdered, false);
    assert.deepEqual(await idsOf(events.blocks()), scrambled(3001));
  });
}

test("few events that are too large to be held come as the server finds them", async () => {
  await using events = await BatchEvents.inAnyOrder(await input(scrambled(100), 100, 100_000));
  assert.equal(events.isOrdered, false);
  assert.deepEqual(await idsOf(events.blocks()), scrambled(100));
});

test("where order is asked for, the server sorts any number of events", async () => {
  await using events = BatchEvents.inOrder(await input(scrambled(3001), 5));
  assert.deepEqual(await idsOf(events.blocks()), inOrder(3001));
});

test("events that are not read to the end leave the provider's session to others, in the same transaction", async () => {
  const many = await input(scrambled(50_000), 5);
  await source.execute("create temporary table of_this_transaction () on commit drop");
  {
    await using events = await BatchEvents.inAnyOrder(many);
    assert.equal(events.isOrdered, false);
  }
  await source.execute("rollback to savepoint londiste_read; select from of_this_transaction");
});

test("a batch of more events than its ticks tell of is read again in order where it turns out to need that", async () => {
  await bench.source.execute("drop table if exists t; create table t (id int primary key)");
  const row = (id: number) => jsonEvent("INSERT", "public.t", ["id"], { id, w: id });
  bench.limits = { tableBytes: 1000, totalBytes: 1000, orderedEvents: 100 };
  bench.expectedEvents = 1;
  const events = inOrder(200).map((id) => jsonEvent("INSERT", "public.t", ["id"], { id }));
  const script = { type: "EXECUTE", data: "", table: "" };
  let scripts = 0;
  const result = await bench.apply(
    [...events, script, row(201)],
    { "public.t": "public.t" },
    false,
    async () => {
      scripts += 1;
      await bench.target.execute("alter table t add column w int");
    },
  );
  assert.deepEqual([result.eventCount, scripts], [202, 1]);
  assert.equal((await bench.rows("select from t where w = 201")).length, 1);
});

test("lines that are in order already are not copied", () => {
  const blocks = [Buffer.from("t\te\t8\tx\nt\te\t9\tx\n"), Buffer.from("t\te\t10\tx\n")];
  assert.equal(inOrderOfIds(blocks), blocks);
  assert.deepEqual(inOrderOfIds([]), []);
  const [sorted] = inOrderOfIds(blocks.toReversed());
  assert.equal(sorted?.toString(), "t\te\t8\tx\nt\te\t9\tx\nt\te\t10\tx\n");
});
