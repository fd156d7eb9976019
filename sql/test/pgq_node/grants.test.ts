import { deepEqual, equal, rejects } from "node:assert/strict";
import { test } from "node:test";
import { databaseFixture } from "../fixture.ts";
import { answer, createRoot, registerLocations } from "./node.ts";

const fixture = databaseFixture(["pgq", "pgq_node"]);

const readers = ["pgq_reader", "pgq_writer", "pgq_admin"];
const writers = ["pgq_writer", "pgq_admin"];
const admins = ["pgq_admin"];

/** Who may call each function; the roles of the last column of spec/sql-node-londiste.md 9.2. */
const executors: Readonly<Record<string, readonly string[]>> = {
  is_root_node: ["public"],
  is_leaf_node: ["public"],
  version: ["public"],
  register_consumer: writers,
  unregister_consumer: writers,
  change_consumer_provider: writers,
  set_consumer_uptodate: writers,
  set_consumer_paused: writers,
  set_consumer_completed: writers,
  set_consumer_completed_at: writers,
  set_consumer_error: writers,
  create_node: admins,
  drop_node: admins,
  delete_events_after: admins,
  demote_root: admins,
  promote_branch: admins,
  rename_node_step1: admins,
  rename_node_step2: admins,
  set_node_attrs: admins,
  get_worker_state: admins,
  set_global_watermark: admins,
  set_partition_watermark: admins,
  get_consumer_info: readers,
  get_consumer_state: readers,
  get_completed_tick: readers,
  get_queue_locations: readers,
  get_node_info: readers,
  get_subscriber_info: readers,
  register_subscriber: readers,
  unregister_subscriber: readers,
  set_subscriber_watermark: readers,
  register_location: admins,
  unregister_location: admins,
  upgrade_schema: admins,
  maint_watermark: admins,
};

test("each function may be called by exactly the roles it is meant for", async () => {
  const { db } = await fixture.database();
  const rows = await db.query<{ name: string; grantees: string[] }>(
    `select p.proname as name, array(
              select case a.grantee when 0 then 'public' else a.grantee::regrole::text end
                from aclexplode(p.proacl) a where a.grantee <> p.proowner) as grantees
       from pg_proc p where p.pronamespace = 'pgq_node'::regnamespace`,
  );
  deepEqual(
    Object.fromEntries(rows.map(({ name, grantees }) => [name, [...grantees].sort()])),
    Object.fromEntries(Object.entries(executors).map(([name, roles]) => [name, [...roles].sort()])),
  );
});

test("tables can be read by readers and writers, changed by administrators only", async () => {
  const { db } = await fixture.database();
  for (const table of ["node_location", "node_info", "local_state", "subscriber_info"]) {
    const [row] = await db.query(
      `select has_table_privilege('pgq_reader', $1, 'select') as reader,
              has_table_privilege('pgq_writer', $1, 'select') as writer,
              has_table_privilege('pgq_reader', $1, 'insert, update, delete, truncate') as reader_changes,
              has_table_privilege('pgq_writer', $1, 'insert, update, delete, truncate') as writer_changes,
              has_table_privilege('pgq_admin', $1, 'insert') and has_table_privilege('pgq_admin', $1, 'update')
                and has_table_privilege('pgq_admin', $1, 'delete') as admin_changes`,
      [`pgq_node.${table}`],
    );
    deepEqual(row, {
      reader: true,
      writer: true,
      reader_changes: false,
      writer_changes: false,
      admin_changes: true,
    });
  }
});

test("roles get as far as they should, with the owner's rights", async () => {
  const { db, another } = await fixture.database();
  await createRoot(db, "q");
  await registerLocations(db, "q", "n2");
  const as = async (role: string): Promise<typeof db> => {
    const user = `some_${role}`;
    await db.execute(`drop role if exists ${user}; create role ${user} login in role ${role}`);
    return another({ user });
  };
  const reader = await as("pgq_reader");
  equal(
    await answer(reader, "pgq_node.register_subscriber", "q", "n2", "n2_worker", null),
    '200 "Subscriber registered: n2"',
  );
  await rejects(
    reader.query("select pgq_node.set_consumer_paused('q', 'root_worker', true)"),
    /permission denied/,
  );
  await rejects(reader.query("update pgq_node.node_info set node_type = 'leaf'"), /permission denied/);

  const writer = await as("pgq_writer");
  equal(
    await answer(writer, "pgq_node.set_consumer_paused", "q", "root_worker", true),
    '200 "Consumer root_worker tagged as paused"',
  );
  await rejects(writer.query("select pgq_node.drop_node('q', 'root')"), /permission denied/);

  const admin = await as("pgq_admin");
  equal(await answer(admin, "pgq_node.set_global_watermark", "q", null), '200 "Global watermark set to 1"');
  equal(await admin.queryValue("select pgq_node.maint_watermark('q')"), 0);
  equal(await answer(admin, "pgq_node.drop_node", "q", "root"), '200 "Node dropped: root"');
});

test("definer functions cannot be led astray by a search path", async () => {
  const { db } = await fixture.database();
  deepEqual(
    await db.query(
      `select p.proname from pg_proc p
        where p.pronamespace = 'pgq_node'::regnamespace and p.prosecdef
          and not p.proconfig @> array['search_path=pg_catalog, pg_temp']`,
    ),
    [],
  );
});
