import { deepEqual, equal } from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { examineModules, type ModuleName, moduleCatalog } from "@skytools/sql";
import { surfaceText } from "#src/build/surface-file.js";
import { readSurface } from "#src/surface/read-surface.js";
import type { SurfaceObject } from "#src/surface/surface-object.js";
import { databaseFixture, type Session } from "./fixture.ts";

const modules = ["pgq", "pgq_coop", "pgq_ext", "pgq_node", "londiste", "logdb"] as const;
const fixture = databaseFixture(modules);

/** Roles belong to the cluster: each module ships those that it is the first to use. */
const roleOwner: Readonly<Record<string, ModuleName>> = { pgq: "pgq", londiste: "londiste", log: "logdb" };

/** With SKYTOOLS_UPDATE_SURFACE=1 the files are written anew, which is how a change of a module's structure gets in. */
test("structure/surface.json of each module is what a new installation has", async () => {
  const { db } = await fixture.database();
  for (const { name, schema } of await moduleCatalog()) {
    if (schema === undefined) continue;
    const objects = (await readSurface(db, [schema])).get(schema)!;
    const roles = (await readSurface(db, []))
      .get("")!
      .filter((role) => roleOwner[role.name.split("_")[0]!] === name);
    const text = surfaceText([...roles, ...objects].filter(isOfStructure).toSorted(inOrder));
    const file = fileURLToPath(
      new URL(`../${name}/structure/surface.json`, import.meta.resolve("@skytools/sql")),
    );
    if (process.env.SKYTOOLS_UPDATE_SURFACE === "1") writeFileSync(file, text);
    equal(
      readFileSync(file, "utf8"),
      text,
      `${name}: run this test with SKYTOOLS_UPDATE_SURFACE=1, then build`,
    );
  }
});

/** Functions are read from the SQL. */
function isOfStructure({ kind, name }: SurfaceObject): boolean {
  return kind !== "function" && !name.startsWith("execute on function ");
}

function inOrder(a: SurfaceObject, b: SurfaceObject): number {
  const [one, other] = [`${a.kind} ${a.name}`, `${b.kind} ${b.name}`];
  return one < other ? -1 : 1;
}

async function findings({ db }: Session): Promise<string[]> {
  const all = (await examineModules(db)).flatMap((examination) => examination.findings);
  return all.map(({ state, kind, name, remedy }) => {
    const run = typeof remedy === "object" ? remedy.sql : (remedy ?? "");
    return `${state} ${kind} ${name}: ${run}`;
  });
}

test("a new installation is as shipped, bodies too, and stays so with queues, captures and grants of others", async () => {
  const session = await fixture.database();
  const { db } = session;
  await db.execute(`
    select pgq.create_queue('q'), pgq.create_queue('r');
    create table public.t (id int primary key);
    select pgq.create_capture('public.t', 'capture_t', 'q');
    create trigger old after insert on public.t for each row execute function pgq.logutriga('q');
    insert into public.t values (1);
    create role somebody; grant execute on function pgq.ticker() to somebody`);
  deepEqual(await findings(session), []);
});

test("whatever is missing, different or extra is found, with what mends it", async () => {
  const session = await fixture.database();
  const { db } = session;
  await db.execute(`
    select pgq.create_queue('q');
    drop function pgq_ext.set_last_tick(text, bigint);
    create or replace function pgq_coop.version() returns text language sql as $$ select '4.0.0'::text $$;
    create function pgq.mine(int) returns int language sql as 'select 1';
    grant execute on function pgq.ticker() to public;
    revoke select on pgq.tick from pgq_reader;
    alter table pgq.retry_queue drop constraint rq_pkey;
    drop index pgq.rq_retry_idx;
    alter table pgq.queue drop column queue_retry_limit, alter column queue_ntables drop not null;
    drop index pgq.event_1_1_txid_idx;
    drop sequence pgq.event_1_tick_seq;
    create role other_owner superuser;
    alter function pgq.drop_queue(text) owner to other_owner;
    alter table pgq_node.node_info disable trigger all`);
  deepEqual((await findings(session)).toSorted(), [
    "different column pgq.queue.queue_ntables: alter table pgq.queue alter column queue_ntables set not null;",
    "different function pgq.drop_queue(text): alter function pgq.drop_queue(text) owner to postgres;",
    "different function pgq_coop.version(): upgrade",
    "extra function pgq.mine(integer): ",
    "extra grant execute on function pgq.ticker() to public: revoke execute on function pgq.ticker() from public;",
    "missing column pgq.queue.queue_retry_limit: alter table pgq.queue add column queue_retry_limit integer;",
    "missing constraint pgq.retry_queue rq_pkey: alter table pgq.retry_queue add constraint rq_pkey PRIMARY KEY (ev_owner, ev_id);",
    "missing function pgq_ext.set_last_tick(text,bigint): upgrade",
    "missing grant select on table pgq.tick to pgq_reader: grant select on table pgq.tick to pgq_reader;",
    "missing index pgq.rq_retry_idx: CREATE INDEX rq_retry_idx ON pgq.retry_queue USING btree (ev_retry_after);",
    "missing queue index on ev_txid of table pgq.event_1_1 of queue q: create index event_1_1_txid_idx on pgq.event_1_1 (ev_txid);",
    "missing queue sequence pgq.event_1_tick_seq of queue q: create sequence pgq.event_1_tick_seq; -- then set it past the highest number in use",
  ]);
});
