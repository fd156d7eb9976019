import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { moduleSql } from "@skytools/sql";
import { databaseFixture } from "../fixture.ts";
import { createRoot, row } from "./node.ts";

const fixture = databaseFixture(["pgq", "pgq_node"]);

test("the version is dotted numbers", async () => {
  const { db } = await fixture.database();
  equal(/^\d+(\.\d+)+$/.test((await db.queryValue<string>("select pgq_node.version()")) ?? ""), true);
});

test("installing again keeps nodes and changes nothing", async () => {
  const { db } = await fixture.database();
  await createRoot(db, "q");
  const before = await row(db, "pgq_node.get_node_info", "q");
  await db.execute(await moduleSql("pgq_node"));
  deepEqual(await row(db, "pgq_node.get_node_info", "q"), before);
  equal(await db.queryValue("select pgq_node.upgrade_schema()"), 0);
});

test("a schema from before node attributes and known ticks is brought up to date", async () => {
  const { db } = await fixture.database();
  await createRoot(db, "q");
  await db.execute(`
    drop function pgq_node.get_node_info(text);
    create function pgq_node.get_node_info(in i_queue_name text, out ret_code int4, out ret_note text)
      language sql as $$ select 1, '' $$;
    drop function pgq_node.version();
    alter table pgq_node.node_info drop column node_attrs;
    alter table pgq_node.local_state drop column known_tick_id, drop column known_tick_time;`);
  equal(await db.queryValue("select pgq_node.upgrade_schema()"), 2);
  await db.execute("alter table pgq_node.node_info drop column node_attrs");
  await db.execute(await moduleSql("pgq_node"));
  const info = await row(db, "pgq_node.get_node_info", "q");
  deepEqual([info.ret_code, info.node_attrs, info.target_for], [100, null, null]);
});
