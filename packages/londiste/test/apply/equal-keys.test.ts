import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ApplyBench, jsonEvent } from "../fixture/apply-bench.js";

let bench: ApplyBench;

before(async () => {
  bench = await ApplyBench.start();
  await bench.source.execute(
    `create collation nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
     create table price (k numeric primary key, v int);
     create table word (k text collate nocase primary key, v int)`,
  );
});

after(async () => {
  await bench[Symbol.asyncDispose]();
});

const tables = { "public.price": "public.price", "public.word": "public.word" };

/** A change of a key into an equal one is logged as an update. */
for (const filler of [0, 3]) {
  test(`a key that becomes another form of itself is what it is on the source (${filler} events more)`, async () => {
    await bench.source.execute(
      "truncate price, word; insert into price values (1.0, 0); insert into word values ('Abc', 0)",
    );
    const more = Array.from({ length: filler }, (_, nr) =>
      jsonEvent("INSERT", "public.price", ["k"], { k: `${nr + 10}`, v: nr }),
    );
    await bench.apply(
      [
        jsonEvent("UPDATE", "public.price", ["k"], { k: "1.000", v: 1 }),
        ...more,
        jsonEvent("UPDATE", "public.word", ["k"], { k: "Abc", v: 1 }),
        jsonEvent("UPDATE", "public.word", ["k"], { k: "ABC", v: 2 }),
      ],
      tables,
    );
    assert.deepEqual(
      await bench.rows("select k::text, v from price where k = 1 union all select k, v from word"),
      [
        { k: "1.000", v: 1 },
        { k: "ABC", v: 2 },
      ],
    );
  });
}

test("a key that is deleted in one form and comes back in another is there once", async () => {
  await bench.source.execute("truncate word; insert into word values ('Abc', 0)");
  await bench.apply(
    [
      jsonEvent("DELETE", "public.word", ["k"], { k: "Abc", v: 0 }),
      jsonEvent("INSERT", "public.word", ["k"], { k: "aBC", v: 5 }),
      jsonEvent("UPDATE", "public.word", ["k"], { k: "aBC", v: 6 }),
    ],
    tables,
  );
  assert.deepEqual(await bench.rows("select k, v from word"), [{ k: "aBC", v: 6 }]);
});
