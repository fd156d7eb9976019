import assert from "node:assert/strict";
import { PassThrough, Transform } from "node:stream";
import { test } from "node:test";
import { waitFor } from "@skytools/testbed";
import { Database, DatabaseError, pipeCopy } from "#src/index.js";
import { assertUsable, checksum, cluster, openBoth, targetConnstr } from "../fixture/copy-databases.ts";
import { databaseFailure } from "../fixture/database-failure.ts";

test("pipeCopy moves every row unchanged and counts rows and bytes", async () => {
  await using both = await openBoth();
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
  await using both = await openBoth();
  const from = "copy (select * from rows where false) to stdout";
  assert.deepEqual(await pipeCopy(both.source, from, both.target, "copy rows from stdin"), {
    bytes: 0,
    rows: 0n,
  });
  await assertUsable(both.source, both.target);
});

test("binary format passes too", async () => {
  await using both = await openBoth();
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
  await using both = await openBoth();
  const upper = new Transform({
    transform: (chunk: Buffer, _encoding, callback) => callback(null, chunk.toString("latin1").toUpperCase()),
  });
  const from = "copy (select id, 'abc' from rows where id between 1 and 1000) to stdout";
  const result = await pipeCopy(both.source, from, both.target, "copy rows from stdin", { transform: upper });
  assert.equal(result.rows, 1000n);
  assert.deepEqual(await both.target.query("select distinct t from rows"), [{ t: "ABC" }]);
});

test("errors of the target: no table, wrong columns, a violated constraint in the middle", async () => {
  await using both = await openBoth();
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
        databaseFailure(sqlState, message, target),
      );
      await assertUsable(source, target);
    }
  }
});

test("errors of the source: no table, a failure in the middle", async () => {
  await using both = await openBoth();
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
        databaseFailure(sqlState, message, source),
      );
      await assertUsable(source, target);
      assert.equal(await target.queryValue("select count(*) from rows"), 0n);
      await target.rollback();
    }
  }
});

test("statements that are no COPY in this direction", async () => {
  await using both = await openBoth();
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
  await using both = await openBoth();
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
  await using both = await openBoth();
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
    await using both = await openBoth();
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
