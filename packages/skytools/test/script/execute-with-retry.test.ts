import assert from "node:assert/strict";
import { after, test } from "node:test";
import { memoryLog, startCluster } from "@skytools/testbed";
import {
  Config,
  createJob,
  DatabaseError,
  databaseConfig,
  executeWithRetry,
  frameworkConfig,
  UsageError,
} from "#src/index.js";

const cluster = await startCluster();
after(() => cluster[Symbol.asyncDispose]());
await cluster.query("create sequence tries");

/** Fails as often as told, each time with the SQLSTATE. */
const failing = (times: number, sqlState: string) => `
  do $$ begin
    if nextval('tries') <= ${times} then raise exception 'not yet' using errcode = '${sqlState}'; end if;
  end $$;
  select currval('tries') as tries`;

async function jobWith(settings: string) {
  await cluster.query("alter sequence tries restart");
  const log = memoryLog();
  const config = Config.parse(`[s]\nsql_retry_formula_a = 0\nsql_retry_formula_b = 0.001\n${settings}`, "s", {
    file: "s.ini",
    groups: [databaseConfig, frameworkConfig],
    overrides: { db: cluster.connstr() },
  });
  const program = { service: "s", version: "1", summary: "", config: [], switches: [] };
  const job = createJob(program, { config, log });
  job.databases.setDefaults("db", { autocommit: true });
  return { job, lines: log.lines, [Symbol.asyncDispose]: () => job.databases.closeAll() };
}

test("what may pass is tried again on a new session until it passes", async () => {
  await using given = await jobWith("sql_retry = 1\n");
  const before = (await given.job.databases.get("db")).backendPid;
  const { rows, retries } = await executeWithRetry(given.job, "db", failing(2, "40001"));
  assert.deepEqual({ rows, retries }, { rows: [{ tries: 3n }], retries: 2 });
  assert.notEqual((await given.job.databases.get("db")).backendPid, before);
  const told = given.lines.filter((line) => line.startsWith("info"));
  assert.match(told[0] ?? "", /^info Job s got error on connection "db": not yet \(/);
  assert.deepEqual([told[1], told[3]], ["info Retry #1 in 0.001 s", "info Retry #2 in 0.002 s"]);
});

for (const [what, settings, sqlState, triesMade] of [
  ["sql_retry is off", "", "40001", 1],
  ["the failure is for good", "sql_retry = 1\n", "23505", 1],
  ["all tries are used", "sql_retry = 1\nsql_retry_max_count = 2\n", "40001", 3],
  ["the time is over", "sql_retry = 1\nsql_retry_max_time = 0\n", "40001", 1],
] as const) {
  test(`the failure is final when ${what}`, async () => {
    await using given = await jobWith(settings);
    await assert.rejects(executeWithRetry(given.job, "db", failing(9, sqlState)), DatabaseError);
    const [{ last_value }] = (await cluster.query("select last_value from tries")) as [
      { last_value: string },
    ];
    assert.equal(Number(last_value), triesMade);
  });
}

test("the caller may say what is worth a retry", async () => {
  await using given = await jobWith("sql_retry = 1\n");
  const isRetryable = (error: unknown) => error instanceof DatabaseError && error.sqlState === "23505";
  const { retries } = await executeWithRetry(given.job, "db", failing(1, "23505"), [], { isRetryable });
  assert.equal(retries, 1);
});

test("a session with transactions is refused", async () => {
  await using given = await jobWith("");
  given.job.databases.setDefaults("db", { autocommit: false });
  await assert.rejects(executeWithRetry(given.job, "db", "select 1"), UsageError);
});
