import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Database, quoteLiteral } from "@skytools/skytools";
import { type Cluster, moduleDatabase, RandomSource, startCluster } from "@skytools/testbed";
import { applyBatch } from "#src/apply/apply-batch.js";
import { formatSettings } from "#src/replication-session.js";
import { replicatedTable, silentLog } from "../fixture/apply-bench.js";
import { writerSettings } from "../random/hostile-tables.js";
import { typeSamples, typesWithoutSamples } from "./type-samples.js";

/** LONDISTE_SEED gives other rows; LONDISTE_ROUNDS is how often rows are changed and replayed, default 1. */
const seed = Number(process.env.LONDISTE_SEED ?? 1);
const rounds = Number(process.env.LONDISTE_ROUNDS ?? 1);
const random = new RandomSource(seed);
const types = Object.keys(typeSamples);

/** enough to go as a set; a few go row by row */
const rowCount = 34;

let cluster: Cluster;

before(async () => {
  cluster = await startCluster();
});

after(async () => {
  await cluster[Symbol.asyncDispose]();
});

const tableOf = (type: string) => `public.of_${type}`;

/** A column of the type itself, and of what can be made out of it. */
function tableSql(type: string): string {
  const quoted = `pg_catalog."${type}"`;
  return `create domain domain_${type} as ${quoted}; create type pair_${type} as (x ${quoted}, y text);
    create table of_${type} (id int primary key, v ${quoted}, a ${quoted}[], d domain_${type}, c pair_${type}, cs pair_${type}[])`;
}

/** One row image, as an assignment list for an insert or an update. */
function rowValues(type: string): string {
  const pick = () => {
    const value = random.chance(0.1) ? "null" : quoteLiteral(random.pick(typeSamples[type]!));
    return `${value}::pg_catalog."${type}"`;
  };
  const [a, b, c] = [pick(), pick(), pick()];
  const pair = `row(${c}, ${quoteLiteral('q"\\,()')})::public.pair_${type}`;
  return `${a}, array[${a}, null, ${b}], ${b}, ${pair}, array[${pair}, null]`;
}

function someChanges(type: string, ids: readonly number[]): string[] {
  const upsert = (id: number) =>
    `insert into ${tableOf(type)} values (${id}, ${rowValues(type)})
     on conflict (id) do update set (v, a, d, c, cs) = (select ${rowValues(type)})`;
  return ids.flatMap((id) => {
    if (random.chance(0.15)) return [`delete from ${tableOf(type)} where id = ${id}`];
    const moved = id + 1000;
    const move = `delete from ${tableOf(type)} where id = ${moved};
      update ${tableOf(type)} set id = ${moved} where id = ${id}`;
    return random.chance(0.1) ? [move, upsert(id)] : [upsert(id)];
  });
}

test("every built-in type has samples here", async () => {
  await using db = await Database.open(cluster.connstr());
  const rows = await db.query<{ name: string }>(
    `select typname::text as name from pg_type
      where typnamespace = 'pg_catalog'::regnamespace and typtype in ('b', 'r', 'm') and typcategory <> 'A'
        and typname not like '\\_%' and typname not in (select relname from pg_class) order by 1`,
  );
  const missing = rows.map(({ name }) => name).filter((name) => !typesWithoutSamples.test(name));
  assert.deepEqual(
    missing.filter((name) => !types.includes(name)),
    [],
  );
});

for (const format of ["json", "urlenc"]) {
  test(`values of all built-in types, alone, in arrays, domains and composites, survive capture and replay as ${format}`, async (t) => {
    t.diagnostic(`LONDISTE_SEED=${seed} LONDISTE_ROUNDS=${rounds}`);
    const fromConnstr = await moduleDatabase(cluster, ["pgq"]);
    await using writer = await Database.open(fromConnstr, { autocommit: true });
    await using source = await Database.open(fromConnstr);
    await using target = await Database.open(await moduleDatabase(cluster, []));
    const tables = types.map(tableSql).join("; ");
    await writer.execute(`${tables}; select pgq.create_queue('q')`);
    await target.execute(`set session_replication_role = replica; ${tables}`);
    await target.commit();
    for (const type of types) {
      await writer.query("select pgq.create_capture($1::regclass, 'capture', 'q', $2)", [
        tableOf(type),
        format,
      ]);
    }
    for (const db of [source, target]) {
      await db.execute(formatSettings);
      await db.commit();
    }
    let lastId = 0n;
    for (let round = 0; round < rounds; round += 1) {
      for (const isSmall of [false, true]) {
        const ids = Array.from({ length: isSmall ? 5 : rowCount }, (_, nr) => nr + 1);
        // The last one changes what a backslash is: first, so that each run has it.
        const setting = isSmall ? random.pick(writerSettings) : writerSettings.at(-1);
        const statements = types.flatMap((type) => someChanges(type, ids));
        await writer.execute(
          ["begin", setting || "select", ...statements, "commit", "reset all"].join(";\n"),
        );
        lastId = await replay(source, target, lastId);
        for (const type of types) await assertSame(source, target, type);
        await source.commit();
        await target.commit();
      }
    }
  });
}

async function replay(source: Database, target: Database, lastId: bigint): Promise<bigint> {
  const result = await applyBatch({
    source,
    target,
    log: silentLog,
    batchId: 1n,
    tickId: 1n,
    tickTime: "2026-01-01 00:00:00+00",
    queueName: "q",
    eventQuery: `select ev_id, ev_time, ev_txid, ev_retry, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4
      from pgq.event_1 where ev_id > ${lastId} order by 1`,
    expectedEvents: 1,
    handlers: new Map(),
    limits: {
      tableBytes: random.pick([1000, 100_000]),
      totalBytes: random.pick([20_000, 1_000_000]),
      orderedEvents: random.pick([0, 10]),
    },
    tables: new Map(types.map((type) => [tableOf(type), replicatedTable(tableOf(type))])),
    onControlEvent: async () => {},
  });
  await source.commit();
  await target.commit();
  return result.maxEventId ?? lastId;
}

async function assertSame(source: Database, target: Database, type: string): Promise<void> {
  const sql = `select t::text as line from ${tableOf(type)} t order by id`;
  assert.deepEqual(await target.query(sql), await source.query(sql), `type ${type}, LONDISTE_SEED=${seed}`);
}
