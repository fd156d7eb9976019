import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ApplyBench, jsonEvent, type TestEvent } from "../fixture/apply-bench.js";

let bench: ApplyBench;

before(async () => {
  bench = await ApplyBench.start();
});

after(async () => {
  await bench[Symbol.asyncDispose]();
});

const event = (op: "INSERT" | "UPDATE" | "DELETE", id: number, v: string) =>
  jsonEvent(op, "public.t", ["id"], { id, v });

/** A change of a key is logged as a delete and an insert, row after row as the statement has met them. */
const moves: Readonly<Record<string, readonly TestEvent[]>> = {
  "two rows that trade keys": [
    event("DELETE", 1, "a"),
    event("INSERT", 2, "a"),
    event("DELETE", 2, "b"),
    event("INSERT", 1, "b"),
  ],
  "rows that all move on by one": [
    event("DELETE", 1, "a"),
    event("INSERT", 2, "a"),
    event("DELETE", 2, "b"),
    event("INSERT", 3, "b"),
    event("DELETE", 3, "c"),
    event("INSERT", 4, "c"),
  ],
  "a row that is changed, doubled and deleted": [
    event("UPDATE", 2, "B"),
    event("INSERT", 2, "new"),
    event("DELETE", 2, "B"),
  ],
};
const onceMore = [
  event("DELETE", 1, "a"),
  event("INSERT", 1, "A"),
  event("INSERT", 5, "e"),
  event("DELETE", 5, "e"),
  event("INSERT", 5, "E"),
  event("UPDATE", 2, "B"),
  event("DELETE", 2, "B"),
];

const filler = (count: number) =>
  Array.from({ length: count }, (_, nr) => event("INSERT", nr + 100, "filler"));
const rows = () => bench.rows("select * from t where id < 100 order by id");

for (const key of ["primary key", "primary key deferrable initially deferred"]) {
  describe(`events of a table whose key was made deferrable on the source, here with ${key}`, () => {
    for (const [what, events] of Object.entries(moves)) {
      for (const more of [0, 60]) {
        it(`${what}: stops with the event, and changes nothing (${more} events more)`, async () => {
          await bench.source.execute(
            `drop table if exists t; create table t (id int ${key}, v text); insert into t values (1, 'a'), (2, 'b'), (3, 'c')`,
          );
          const before = await rows();
          const applying = bench.apply([...filler(more), ...events], { "public.t": "public.t" }, more > 0);
          await assert.rejects(applying, (error: Error & { hint?: string }) => {
            assert.match(
              error.message,
              /^\[ev_id=\d+,.*insert on table "public\.t", key id=\d, .*SQLSTATE 23505/,
            );
            assert.match(error.hint ?? "", /the key is deferrable on the provider.*resync/);
            return true;
          });
          assert.deepEqual(await rows(), before);
        });
      }
    }

    for (const more of [0, 60]) {
      it(`keys that come and go one after the other are applied (${more} events more)`, async () => {
        await bench.source.execute(
          `drop table if exists t; create table t (id int ${key}, v text); insert into t values (1, 'a'), (2, 'b')`,
        );
        const result = await bench.apply(
          [...filler(more), ...onceMore],
          { "public.t": "public.t" },
          more > 0,
        );
        assert.deepEqual(await rows(), [
          { id: 1, v: "A" },
          { id: 5, v: "E" },
        ]);
        const isSet = more > 0 && key === "primary key";
        assert.equal(result.rowByRowEvents, isSet ? 0 : more + onceMore.length);
      });
    }
  });
}
