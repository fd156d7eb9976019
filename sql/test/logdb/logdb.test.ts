import { deepEqual, equal, rejects } from "node:assert/strict";
import { test } from "node:test";
import { databaseFixture } from "../fixture.ts";

const fixture = databaseFixture(["logdb"]);

test("records are added; the figures of a statistics line are kept as numbers", async () => {
  const { db } = await fixture.database();
  const add = (level: string, message: string) =>
    db.query("select log.add($1, $2, $3)", [level, "mover", message]);
  await add("INFO", "{count: 3, duration: 0.25, lag: 1.0, table: a b}");
  await add("ERROR", "lost {connection: here}");
  await add("INFO", "{}");
  deepEqual(await db.query("select level, message, figures::text from log.entry order by entry_id"), [
    {
      level: "INFO",
      message: "{count: 3, duration: 0.25, lag: 1.0, table: a b}",
      figures: '{"lag": 1.0, "count": 3, "table": "a b", "duration": 0.25}',
    },
    { level: "ERROR", message: "lost {connection: here}", figures: null },
    { level: "INFO", message: "{}", figures: null },
  ]);
});

test("the state of all jobs, and removal of old records in portions", async () => {
  const { db } = await fixture.database();
  await db.execute(`
    insert into log.entry (logged_at, job_name, level, message, figures)
    select now() - make_interval(days => 5 - i), 'old', 'ERROR', 'broken ' || i, null from generate_series(1, 4) i;
    insert into log.entry (logged_at, job_name, level, message, figures)
    values (now() - interval '1 hour', 'new', 'INFO', '{n: 1}', '{"n": 1}'), (now(), 'new', 'INFO', 'fine', null)`);
  deepEqual(await db.query("select job_name, figures::text, problem_level, problem from log.job_status()"), [
    { job_name: "old", figures: null, problem_level: "ERROR", problem: "broken 4" },
    { job_name: "new", figures: '{"n": 1}', problem_level: null, problem: null },
  ]);
  const remove = () => db.queryValue("select log.remove_older('36 hours', 2)");
  deepEqual([await remove(), await remove(), await remove()], [2n, 1n, 0n]);
  equal(await db.queryValue("select count(*) from log.entry"), 3n);
});

test("a writer may add, and nothing else", async () => {
  const { db, another } = await fixture.database();
  await db.execute("create role scribe login in role log_writer; create role nobody_special login");
  const scribe = await another({ user: "scribe" });
  await scribe.query("select log.add('INFO', 'job', 'text')");
  await rejects(scribe.query("select * from log.entry"), /permission denied for table entry/);
  await rejects(
    scribe.query("select log.remove_older('1 day')"),
    /permission denied for function remove_older/,
  );
  const stranger = await another({ user: "nobody_special" });
  await rejects(stranger.query("select log.add('INFO', 'job', 'text')"), /permission denied for schema log/);
});
