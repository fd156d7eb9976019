import assert from "node:assert/strict";
import { once } from "node:events";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { test } from "node:test";
import { waitFor } from "@skytools/testbed";
import { Database } from "#src/index.js";
import {
  assertUsable,
  checksum,
  cluster,
  openBoth,
  sourceConnstr,
  targetConnstr,
} from "../fixture/copy-databases.ts";
import { databaseFailure } from "../fixture/database-failure.ts";

test("several statements go in one round trip, each COPY with its own rows; the first failure ends them", async () => {
  await using both = await openBoth();
  const { target } = both;
  const large = Buffer.from(
    Array.from({ length: 20_000 }, (_, id) => `${id}\t${"x".repeat(100)}\n`).join(""),
  );
  const script = `copy rows from stdin; update rows set t = null where id < 3; copy rows from stdin; select 1;
    copy rows from stdin; delete from rows where t is null`;
  const tags = await target.executeCopying(script, [large, Buffer.from("-1\t\\N\n"), Buffer.alloc(0)]);
  assert.deepEqual(tags, ["COPY 20000", "UPDATE 3", "COPY 1", "SELECT 1", "COPY 0", "DELETE 4"]);
  assert.equal(await target.queryValue("select count(*) from rows"), 19_997n);
  await target.rollback();
  for (const [sql, sqlState, message] of [
    ["copy rows from stdin; select 1 / 0; copy rows from stdin", "22012", /division by zero/],
    ["select 1 / 0; copy rows from stdin; copy rows from stdin", "22012", /division by zero/],
    ["copy refused from stdin; copy rows from stdin", "23514", /violates check constraint/],
    [
      "copy rows from stdin; copy rows from stdin; copy rows from stdin",
      "57014",
      /there are no data to copy/,
    ],
  ] as const) {
    const contents = [Buffer.from(`1\t${"x".repeat(400)}\n`), large];
    await assert.rejects(target.executeCopying(sql, contents), databaseFailure(sqlState, message, target));
    await assertUsable(target);
  }
});

test("copyOut: slow readers hold the server back, early destruction frees the session", async () => {
  await using db = await Database.open(sourceConnstr);
  const stream = db.copyOut("copy (select generate_series(1, 100000000), repeat('x', 100)) to stdout");
  const first = await new Promise((resolve) => stream.once("data", resolve));
  stream.pause();
  assert.ok(first instanceof Buffer);
  await waitFor("the backend to be blocked on its socket", async () => {
    const [row] = await cluster.query("select wait_event from pg_stat_activity where pid = $1", [
      db.backendPid,
    ]);
    return row?.wait_event === "ClientWrite";
  });
  assert.ok(stream.bytes < 16e6, `${stream.bytes} bytes were taken without a reader`);
  stream.destroy();
  await assert.rejects(stream.done, databaseFailure("57014", /canceling statement/, db));
  await assertUsable(db);
});

test("copyOut: a COPY given up at its very end does not take the next statement with it", async () => {
  await using db = await Database.open(sourceConnstr, { autocommit: true });
  for (let round = 0; round < 300; round += 1) {
    const stream = db.copyOut(`copy (select generate_series(1, ${1000 * (1 + (round % 30))})) to stdout`);
    await once(stream, "data");
    stream.destroy();
    if (!stream.closed) await once(stream, "close");
    assert.deepEqual(await db.query("select 1 as n"), [{ n: 1 }]);
  }
});

test("copyOut and copyIn as streams; done tells the rows", async () => {
  await using both = await openBoth();
  const { source, target } = both;
  const from = source.copyOut("copy rows to stdout");
  const to = target.copyIn("copy rows from stdin");
  await pipeline(from, to);
  assert.deepEqual([await from.done, await to.done], [{ rows: 50003n }, { rows: 50003n }]);
  assert.deepEqual(await target.query(checksum), await source.query(checksum));
  await target.rollback();

  const lines = target.copyIn("copy rows from stdin");
  await pipeline(Readable.from(["1\to", "ne\n2\ttw", "o\n"]), lines);
  assert.deepEqual(await target.query("select * from rows order by 1"), [
    { id: 1, t: "one" },
    { id: 2, t: "two" },
  ]);
});

test("copyIn: nothing written, bad rows, destruction before the end", async () => {
  await using db = await Database.open(targetConnstr);
  const empty = db.copyIn("copy rows from stdin");
  empty.end();
  assert.deepEqual(await empty.done, { rows: 0n });

  const bad = db.copyIn("copy rows from stdin");
  const failed = new Promise((resolve) => bad.once("error", resolve));
  bad.end("not a number\tx\n");
  assert.ok(databaseFailure("22P02", /invalid input syntax/, db)(await failed));
  await assertUsable(db);

  const destroyed = db.copyIn("copy rows from stdin");
  destroyed.on("error", () => undefined);
  destroyed.write("1\tx\n");
  destroyed.destroy(new Error("changed my mind"));
  await assert.rejects(
    destroyed.done,
    databaseFailure("57014", /COPY from stdin failed: changed my mind/, db),
  );
  await assertUsable(db);
  assert.equal(await db.queryValue("select count(*) from rows"), 0n);
});

test("notices that come between rows reach their listener and do not disturb the rows", async () => {
  const notices: string[] = [];
  await using db = await Database.open(sourceConnstr, { onNotice: ({ message }) => notices.push(message) });
  await db.execute(`create function pg_temp.shout(i int) returns int language plpgsql as
    $$ begin if i % 1000 = 0 then raise notice 'at % %', i, repeat('!', i % 7000); end if; return i; end $$`);
  const chunks: Buffer[] = [];
  for await (const chunk of db.copyOut(
    "copy (select pg_temp.shout(i) from generate_series(1, 20000) i) to stdout",
  )) {
    chunks.push(chunk as Buffer);
  }
  const wanted = Array.from({ length: 20000 }, (_, index) => `${index + 1}\n`).join("");
  assert.equal(Buffer.concat(chunks).toString(), wanted);
  assert.equal(notices.length, 20);
  assert.match(notices[6] ?? "", /^at 7000 $/);
});
