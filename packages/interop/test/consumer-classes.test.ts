import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type ConsumedEvent,
  Consumer,
  type ConsumerBatch,
  type ConsumerClass,
  consumerProgram,
  type PgqEvent,
  SerialConsumer,
} from "@skytools/pgq";
import {
  Config,
  createJob,
  type Database,
  databaseConfig,
  frameworkConfig,
  type Job,
} from "@skytools/skytools";
import { type Cluster, memoryLog, moduleDatabase, startCluster } from "@skytools/testbed";
import { originalDatabase } from "./fixture/original-modules.js";
import { original, skipWithout } from "./fixture/originals.js";

const record = "insert into seen (data, retry) values ($1, $2)";
const keys = { sourceKey: "src_db", targetKey: "dst_db" };

async function recordAndRetry(event: ConsumedEvent, { source }: ConsumerBatch<ConsumedEvent>): Promise<void> {
  await source.query(record, [event.data, event.retry]);
  if (event.data?.startsWith("again") === true && event.retry === null) event.tagRetry(0);
}

class Plain extends Consumer {
  protected override processEvent = recordAndRetry;
}

class Serial extends SerialConsumer {
  protected override async processRemoteEvent(event: PgqEvent, target: Database): Promise<void> {
    await target.query(record, [event.data, event.retry]);
  }
}

describe("our consumer classes on the compiled PgQ 3.5", { skip: skipWithout("postgresql-15-pgq3") }, () => {
  it("retry and track like on ours, and give up no event where there is no place for it", async () => {
    await using cluster = await startCluster({ binDir: original.binDir });
    await originalDatabase(cluster, "db", ["pgq"]);
    await moduleDatabase(cluster, ["pgq_ext"], "target");
    for (const name of ["db", "target"])
      await cluster.query("create table seen (nr serial, data text, retry int4)", [], name);
    await cluster.query("select pgq.create_queue('q')", [], "db");
    const jobs: Job[] = [];
    const start = (Class: ConsumerClass, name: string) => {
      const job = jobOf(cluster, Class, name);
      jobs.push(job);
      return new Class(job, keys);
    };
    const plain = start(Plain, "plain");
    const serial = start(Serial, "serial");
    const all = [plain, serial];
    for (const each of all) await each.register();
    const produced = ["a", "again 1", "again 2", ...Array.from({ length: 400 }, (_, at) => `event ${at}`)];
    await produce(cluster, produced);
    for (const each of all) while ((await each.work()) === "busy");
    await cluster.query("select pgq.maint_retry_events()", [], "db");
    await produce(cluster, ["last"]);
    for (const each of all) while ((await each.work()) === "busy");
    const again = ["again 1", "again 2"];
    const twice = [...produced, "last", ...again].toSorted();
    assert.deepEqual((await seen(cluster, "db")).toSorted(), twice);
    assert.deepEqual(await seen(cluster, "target"), [...produced, "last"]);
    class Failing extends Consumer {
      protected override processEvent(event: ConsumedEvent): void {
        event.tagFailed("no");
      }
    }
    await produce(cluster, ["bad"]);
    const failing = start(Failing, "plain");
    await assert.rejects(failing.work(), /the PgQ of db on .* keeps no failed events/);
    for (const job of jobs) await job.databases.closeAll();
    for (const each of all) await each.unregister();
    for (const job of jobs) await job.databases.closeAll();
  });
});

async function produce(cluster: Cluster, data: readonly string[]): Promise<void> {
  await cluster.query("select pgq.insert_event('q', 't', d) from unnest($1::text[]) d", [data], "db");
  await cluster.query("select pgq.force_tick('q')", [], "db");
  await cluster.query("select pgq.ticker('q')", [], "db");
}

async function seen(cluster: Cluster, database: string): Promise<string[]> {
  const rows = await cluster.query<{ data: string }>("select data from seen order by nr", [], database);
  return rows.map((row) => row.data);
}

function jobOf(cluster: Cluster, consumer: ConsumerClass, name: string): Job {
  const program = consumerProgram({ service: "consumer", version: "1", summary: "test", consumer });
  const lines = [
    "[consumer]",
    `job_name = ${name}`,
    `src_db = ${cluster.connstr("db")}`,
    `dst_db = ${cluster.connstr("target")}`,
    "queue_name = q",
  ];
  const groups = [...program.config, databaseConfig, frameworkConfig];
  const config = Config.parse(lines.join("\n"), "consumer", { groups, file: "consumer.ini" });
  return createJob(program, { config, log: memoryLog() });
}
