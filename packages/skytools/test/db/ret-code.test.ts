import assert from "node:assert/strict";
import { after, test } from "node:test";
import { memoryLog, startCluster } from "@skytools/testbed";
import { Database, execCommand, execCommandMany, ReturnCodeError } from "#src/index.js";

const cluster = await startCluster();
after(() => cluster[Symbol.asyncDispose]());
await cluster.query(`
  create table done(note text);
  create function answer(codes int[]) returns table (ret_code int, ret_note text, extra text) language sql as
    $$ with x as (insert into done select 'ran' returning 1)
       select code, 'note ' || code, 'more' from unnest(codes) code, x $$;`);

const sql = "select * from answer($1)";

async function run(codes: number[], options = {}) {
  const log = memoryLog();
  const { lines } = log;
  await using db = await Database.open(cluster.connstr());
  const before = await db.queryValue("select count(*) from done");
  await db.commit();
  const outcome = await execCommand<{ extra: string }>(db, log, sql, [codes], options).catch(
    (error: unknown) => error,
  );
  const { inTransaction } = db;
  await db.rollback();
  const isKept = (await db.queryValue("select count(*) from done")) !== before;
  return { outcome, lines, inTransaction, isKept };
}

test("each class of code has its level; success is committed and the rows are returned", async () => {
  const { outcome, lines, isKept } = await run([100, 200, 201, 301]);
  assert.deepEqual(lines, ["debug 100 note 100", "info note 200", "info note 201", "warn note 301"]);
  assert.equal(isKept, true);
  assert.ok(Array.isArray(outcome));
  assert.deepEqual(outcome[0], { ret_code: 100, ret_note: "note 100", extra: "more" });
});

test("quiet and prefix", async () => {
  assert.deepEqual((await run([200], { quiet: true, prefix: "node2" })).lines, [
    "debug 200 [node2] note 200",
  ]);
  assert.deepEqual((await run([300], { prefix: "node2" })).lines, ["warn [node2] note 300"]);
});

test("an error code rolls everything back and throws with the rows", async () => {
  for (const code of [404, 500, 0, 99]) {
    const { outcome, lines, isKept } = await run([200, code]);
    assert.ok(outcome instanceof ReturnCodeError);
    assert.equal(outcome.returnCode, code);
    assert.equal(outcome.message, `note ${code}`);
    assert.equal(outcome.rows.length, 2);
    assert.ok(lines.includes(`error note ${code}`));
    assert.ok(lines.some((line) => line.startsWith("debug failed query: select")));
    assert.equal(isKept, false);
  }
});

test("commit: false leaves the transaction to the caller", async () => {
  const good = await run([200], { commit: false });
  assert.equal(good.inTransaction, true);
  assert.equal(good.isKept, false);
  const bad = await run([400], { commit: false });
  assert.ok(bad.outcome instanceof ReturnCodeError);
  assert.equal(bad.inTransaction, true);
});

test("a function of another shape is refused", async () => {
  const log = memoryLog();
  const { lines } = log;
  await using db = await Database.open(cluster.connstr());
  await assert.rejects(execCommand(db, log, "select $1 as ret", ["it's"]), { code: "RETURN_CODE_MISSING" });
  assert.equal(db.inTransaction, false);
  assert.ok(lines.includes("error sql: select 'it''s' as ret"));
});

test("many items have one verdict", async () => {
  const log = memoryLog();
  const { lines } = log;
  await using db = await Database.open(cluster.connstr());
  await db.query("truncate done");
  await db.commit();
  await assert.rejects(execCommandMany(db, log, sql, [], [[200], [400], [201]]), ReturnCodeError);
  assert.deepEqual(
    lines.filter((line) => !line.startsWith("debug")),
    ["info note 200", "error note 400", "info note 201"],
  );
  assert.equal(await db.queryValue("select count(*) from done"), 0n);
  await db.commit();
  const rows = await execCommandMany(db, log, sql, [], [[200], [201]]);
  assert.deepEqual(
    rows.map((row) => row.ret_code),
    [200, 201],
  );
  assert.equal(await db.queryValue("select count(*) from done"), 2n);
  assert.deepEqual(await execCommandMany(db, log, sql, [], []), []);
});
