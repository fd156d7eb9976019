import assert from "node:assert/strict";
import { once } from "node:events";
import { PassThrough, Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { after, test } from "node:test";
import { startCluster, waitFor } from "@skytools/testbed";
import { Database, DatabaseError, pipeCopy } from "#src/index.js";

const cluster = await startCluster({ settings: { log_statement: "none" } });
after(() => cluster[Symbol.asyncDispose]());
const sourceConnstr = await cluster.createDatabase("source");
const targetConnstr = await cluster.createDatabase("target");

const checksum = "select count(*) as rows, sum(hashtext(t::text)::bigint)::text as sum from rows t";
const shape = "create table rows(id int, t text)";

await cluster.query(
  `${shape};
   insert into rows select i, repeat(chr(33 + i % 90), i % 400) from generate_series(1, 50000) i;
   insert into rows values (0, null), (-1, E'tab\\t newline\\n backslash\\\\ é'), (-2, repeat('long', 2000000));
   create table refused(id int, t text check (length(t) < 300))`,
  [],
  "source",
);
await cluster.query(
  `${shape}; create table refused(id int, t text check (t is null or length(t) < 300))`,
  [],
  "target",
);

async function open(): Promise<{ source: Database; target: Database } & AsyncDisposable> {
  const source = await Database.open(sourceConnstr);
  const target = await Database.open(targetConnstr);
  return {
    source,
    target,
    [Symbol.asyncDispose]: async () => {
      await Promise.all([source.close(), target.close()]);
    },
  };
}

/** Both sides must be free for the next statement after a failed copy. */
async function assertUsable(...databases: Database[]): Promise<void> {
  for (const db of databases) {
    await db.rollback();
    assert.equal(await db.queryValue("select 42"), 42);
    await db.rollback();
  }
}

const failsAs = (sqlState: string, message: RegExp, place: Database) => (error: unknown) => {
  assert.ok(error instanceof DatabaseError, String(error));
  assert.equal(error.sqlState, sqlState);
  assert.match(error.message, message);
  assert.equal(error.database, place.label);
  return true;
};

test("pipeCopy moves every row unchanged and counts rows and bytes", async () => {
  await using both = await open();
  const { source, target } = both;
  let reported = 0;
  const result = await pipeCopy(source, "copy rows to stdout", target, "copy rows from stdin", {
    onProgress: (bytes) => {
      assert.ok(bytes > reported);
      reported = bytes;
    },
  });
  assert.equal(result.rows, 50003n);
  assert.equal(reported, result.bytes);
  assert.deepEqual(await target.query(checksum), await source.query(checksum));
  const sizes: number[] = [];
  for await (const chunk of source.copyOut("copy rows to stdout")) sizes.push((chunk as Buffer).length);
  assert.equal(
    result.bytes,
    sizes.reduce((sum, size) => sum + size, 0),
  );
  await target.rollback();
  assert.equal(await target.queryValue("select count(*) from rows"), 0n);
});

test("an empty table is copied", async () => {
  await using both = await open();
  const from = "copy (select * from rows where false) to stdout";
  assert.deepEqual(await pipeCopy(both.source, from, both.target, "copy rows from stdin"), {
    bytes: 0,
    rows: 0n,
  });
  await assertUsable(both.source, both.target);
});

test("binary format passes too", async () => {
  await using both = await open();
  const { source, target } = both;
  await pipeCopy(
    source,
    "copy rows to stdout (format binary)",
    target,
    "copy rows from stdin (format binary)",
  );
  assert.deepEqual(await target.query(checksum), await source.query(checksum));
});

test("a transform rewrites the rows on their way", async () => {
  await using both = await open();
  const upper = new Transform({
    transform: (chunk: Buffer, _encoding, callback) => callback(null, chunk.toString("latin1").toUpperCase()),
  });
  const from = "copy (select id, 'abc' from rows where id between 1 and 1000) to stdout";
  const result = await pipeCopy(both.source, from, both.target, "copy rows from stdin", { transform: upper });
  assert.equal(result.rows, 1000n);
  assert.deepEqual(await both.target.query("select distinct t from rows"), [{ t: "ABC" }]);
});

test("several statements go in one round trip, each COPY with its own rows; the first failure ends them", async () => {
  await using both = await open();
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
    await assert.rejects(target.executeCopying(sql, contents), failsAs(sqlState, message, target));
    await assertUsable(target);
  }
});

test("errors of the target: no table, wrong columns, a violated constraint in the middle", async () => {
  await using both = await open();
  const { source, target } = both;
  const cases: [string, string, RegExp][] = [
    ["copy nowhere from stdin", "42P01", /relation "nowhere" does not exist/],
    ["copy rows(id) from stdin", "22P04", /extra data after last expected column/],
    ["copy refused from stdin", "23514", /violates check constraint/],
    ["copy rows from stdin where (", "42601", /syntax error/],
  ];
  for (const [to, sqlState, message] of cases) {
    for (const transform of [false, true]) {
      await assert.rejects(
        pipeCopy(
          source,
          "copy rows to stdout",
          target,
          to,
          transform ? { transform: new PassThrough() } : {},
        ),
        failsAs(sqlState, message, target),
      );
      await assertUsable(source, target);
    }
  }
});

test("errors of the source: no table, a failure in the middle", async () => {
  await using both = await open();
  const { source, target } = both;
  const cases: [string, string, RegExp][] = [
    ["copy nowhere to stdout", "42P01", /relation "nowhere" does not exist/],
    [
      "copy (select 1 / (id - 40000), t from rows where id > 0 order by id) to stdout",
      "22012",
      /division by zero/,
    ],
  ];
  for (const [from, sqlState, message] of cases) {
    for (const transform of [false, true]) {
      await assert.rejects(
        pipeCopy(
          source,
          from,
          target,
          "copy rows from stdin",
          transform ? { transform: new PassThrough() } : {},
        ),
        failsAs(sqlState, message, source),
      );
      await assertUsable(source, target);
      assert.equal(await target.queryValue("select count(*) from rows"), 0n);
      await target.rollback();
    }
  }
});

test("statements that are no COPY in this direction", async () => {
  await using both = await open();
  const { source, target } = both;
  const run = (from: string, to: string) => pipeCopy(source, from, target, to);
  await assert.rejects(run("select * from rows", "copy rows from stdin"), /statement is not COPY TO STDOUT/);
  await assertUsable(source, target);
  await assert.rejects(
    run("copy rows from stdin", "copy rows from stdin"),
    /COPY from stdin failed: COPY FROM STDIN where/,
  );
  await assertUsable(source, target);
  await assert.rejects(run("copy rows to stdout", "select 1"), /statement is not COPY FROM STDIN/);
  await assertUsable(source, target);
  await assert.rejects(run("copy rows to stdout", "copy rows to stdout"), /statement is not COPY FROM STDIN/);
  await assertUsable(source, target);
});

test("an abort signal ends it: before, while the target waits for a lock, in the middle", async () => {
  await using both = await open();
  const { source, target } = both;
  const endless = "copy (select generate_series(1, 1000000000), 'x') to stdout";
  const run = (signal: AbortSignal, onProgress?: () => void) =>
    pipeCopy(source, endless, target, "copy rows from stdin", { signal, ...(onProgress && { onProgress }) });
  const reason = new Error("enough");

  await assert.rejects(run(AbortSignal.abort(reason)), reason);
  await assertUsable(source, target);

  await using blocker = await Database.open(targetConnstr);
  await blocker.execute("lock table rows");
  const waiting = new AbortController();
  const blocked = run(waiting.signal);
  blocked.catch(() => undefined);
  await waitFor("the target to wait for the lock", async () => {
    const [row] = await cluster.query("select wait_event_type from pg_stat_activity where pid = $1", [
      target.backendPid,
    ]);
    return row?.wait_event_type === "Lock";
  });
  waiting.abort(reason);
  await assert.rejects(blocked, reason);
  await blocker.rollback();
  await assertUsable(source, target);

  const middle = new AbortController();
  await assert.rejects(
    run(middle.signal, () => middle.abort(reason)),
    reason,
  );
  await assertUsable(source, target);
});

test("an error thrown by the progress callback ends the copy", async () => {
  await using both = await open();
  const onProgress = () => {
    throw new Error("display broke");
  };
  await assert.rejects(
    pipeCopy(both.source, "copy rows to stdout", both.target, "copy rows from stdin", { onProgress }),
    /display broke/,
  );
  await assertUsable(both.source, both.target);
});

test("a backend that goes away in the middle: the other side stays usable", async () => {
  for (const victim of ["source", "target"] as const) {
    await using both = await open();
    const { source, target } = both;
    const endless = "copy (select generate_series(1, 1000000000), 'x') to stdout";
    let isKilled = false;
    const copying = pipeCopy(source, endless, target, "copy rows from stdin", {
      onProgress: (bytes) => {
        if (isKilled || bytes < 1e6) return;
        isKilled = true;
        void cluster.query("select pg_terminate_backend($1)", [both[victim].backendPid]);
      },
    });
    await assert.rejects(copying, (error) => {
      assert.ok(error instanceof DatabaseError, String(error));
      assert.equal(error.database, both[victim].label);
      assert.equal(error.retry, "reconnect");
      return true;
    });
    await waitFor("the loss to be noticed", () => both[victim].isBroken);
    await assertUsable(victim === "source" ? target : source);
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
  await assert.rejects(stream.done, failsAs("57014", /canceling statement/, db));
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
  await using both = await open();
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
  assert.ok(failsAs("22P02", /invalid input syntax/, db)(await failed));
  await assertUsable(db);

  const destroyed = db.copyIn("copy rows from stdin");
  destroyed.on("error", () => undefined);
  destroyed.write("1\tx\n");
  destroyed.destroy(new Error("changed my mind"));
  await assert.rejects(destroyed.done, failsAs("57014", /COPY from stdin failed: changed my mind/, db));
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
