import { deepEqual, equal, rejects } from "node:assert/strict";
import { test } from "node:test";
import { databaseFixture } from "../fixture.ts";
import { answer, createRoot, registerLocations } from "./node.ts";

const fixture = databaseFixture(["pgq", "pgq_node"]);

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
