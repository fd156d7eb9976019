import { deepEqual } from "node:assert/strict";
import { after, before, test } from "node:test";
import { Database, DatabaseError } from "@skytools/skytools";
import { type Cluster, moduleDatabase, startCluster } from "@skytools/testbed";
import { EventLog } from "../trigger/event-log.ts";
import type { OracleCase } from "./oracle-case.ts";
import { originalPgqBinDir, withoutOriginalPgq } from "./original-pgq.ts";
import { oracleCases } from "./trigger-cases.ts";

// Every case runs in a database with the compiled original and in one with ours, on the same server. What statements
// log, and what errors they raise, has to be the same to the byte.

let cluster: Cluster | undefined;
let originalConnstr = "";
let ourConnstr = "";

before(async () => {
  const binDir = originalPgqBinDir();
  if (binDir === undefined) return;
  cluster = await startCluster({ binDir });
  originalConnstr = await cluster.createDatabase("original");
  await using original = await Database.open(originalConnstr, { autocommit: true });
  await original.execute(`create extension pgq; select pgq.create_queue('q');
    create function pgq.logtriga() returns trigger as '$libdir/pgq_triggers', 'pgq_logtriga' language c`);
  ourConnstr = await moduleDatabase(cluster, ["pgq"]);
  await using ours = await Database.open(ourConnstr, { autocommit: true });
  await ours.execute("select pgq.create_queue('q')");
});

after(async () => {
  await cluster?.[Symbol.asyncDispose]();
});

for (const oracleCase of oracleCases) {
  test(`as the original: ${oracleCase.name}`, { skip: withoutOriginalPgq }, async () => {
    const original = await transcript(originalConnstr, oracleCase);
    deepEqual(await transcript(ourConnstr, oracleCase), original);
    deepEqual(await transcript(ourConnstr, oracleCase), original, "compiled in an earlier session");
  });
}

/** What each statement of a case logs or raises. */
async function transcript(
  connstr: string,
  { prepare, triggers, statements }: OracleCase,
): Promise<unknown[]> {
  await using db = await Database.open(connstr, { autocommit: true });
  await db.execute("drop schema if exists s cascade; create schema s; set search_path = s");
  await db.execute(prepare);
  await db.execute(triggers);
  const log = new EventLog(db);
  await log.added();
  const lines: unknown[] = [];
  for (const statement of statements) {
    try {
      lines.push([statement, await log.of(statement)]);
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      lines.push([statement, serverMessage(error)]);
    }
  }
  return lines;
}

function serverMessage(error: DatabaseError): string {
  const cause: unknown = error.cause;
  return cause instanceof Error ? cause.message : error.message;
}
