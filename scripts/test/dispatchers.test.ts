import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Cluster, startCluster, waitFor } from "@skytools/testbed";
import { reload, ScriptSet } from "./fixture/script-set.js";

describe("cube_dispatcher3 and table_dispatcher3", () => {
  let cluster: Cluster;

  before(async () => {
    cluster = await startCluster();
  });
  after(() => cluster[Symbol.asyncDispose]());

  async function setUp(parents: string): Promise<ScriptSet> {
    const set = await ScriptSet.create(cluster);
    await set.target.query(parents);
    await set.register();
    return set;
  }

  it("cube_dispatcher3 has the last state of the changed rows of a day, killed in mid-batch", async () => {
    await using set = await setUp(`create table users (id int, k text, v text, primary key (id, k));
      create table "Odd T" ("I d" int primary key, "select" text default 'x')`);
    await set.source.query(`create table users (id int, k text, v text, primary key (id, k));
      create table "Odd T" ("I d" int primary key, "select" text);
      create trigger capture after insert or update or delete on users for each row execute function pgq.logutriga('q');
      create trigger capture after insert or update or delete on "Odd T" for each row execute function pgq.jsontriga('q')`);
    const script = set.script("cube_dispatcher3");
    const change = async (from: number, time: string) => {
      await set.source.query(`insert into users select i, 'k', 'v' || i from generate_series(${from}, ${from} + 99) i;
        update users set v = 'changed at ${from}' where id % 10 = 0;
        delete from users where id % 10 = 1 and id >= ${from};
        insert into "Odd T" select i, 'odd' from generate_series(${from}, ${from} + 9) i;
        update "Odd T" set "select" = null where "I d" = ${from}`);
      await set.source.tick();
      await set.source.query(
        `update pgq.tick set tick_time = '${time}' where tick_id = (select max(tick_id) from pgq.tick)`,
      );
    };
    await change(0, "2026-11-20 23:59");
    for (const point of ["consumer.before-target-commit", "consumer.after-target-commit"]) {
      await using victim = script.start({ SKYTOOLS_CRASH_POINT: `${point}=kill` });
      assert.equal((await victim.exit).signal, "SIGKILL", victim.outputTail());
    }
    await change(100, "2026-11-21 00:01");
    await change(200, "2026-11-21 00:02");
    await using dispatcher = script.start();
    const changed = "id % 10 = 0 or id >= 100";
    const source = `select id, k, v from users where ${changed} order by id`;
    await set.target.waitForRows(
      "select id, k, v from users_2026_11_21 order by id",
      await set.source.rows(source),
      dispatcher,
    );
    assert.deepEqual(
      await set.target.rows(
        `select count(*)::int4, (count(*) filter (where v = 'changed at 0'))::int4 as changed from users_2026_11_20`,
      ),
      [[90, 10]],
    );
    assert.deepEqual(
      await set.target.rows(
        `select "I d", "select" from "Odd T_2026_11_21" where "I d" in (100, 101) order by 1`,
      ),
      [
        [100, null],
        [101, "odd"],
      ],
    );
    assert.deepEqual(await set.target.rows("select count(*)::int4 from users"), [[0]]);
    await dispatcher.waitForOutput(/Created table: public\.users_2026_11_21/);
    dispatcher.signal("SIGINT");
    assert.equal((await dispatcher.exit).code, 0);
    assert.doesNotMatch(dispatcher.stderrText(), /ERROR|WARN/);
  });

  it("cube_dispatcher3 keep_all has every version, also of a large batch that has to be read again", async () => {
    await using set = await setUp("create table t (id int primary key, v text)");
    await set.source.query(`
      select pgq.insert_event('q', 'I:id', 'id=' || i || '&v=x', 'public.t', null, null, null) from generate_series(1, 10500) i;
      select pgq.insert_event('q', 'U:id', 'id=1&v=y', 'public.t', null, null, null);
      select pgq.insert_event('q', 'I', '(id, v) values (''1'', ''z'')', 'public.t', null, null, null)`);
    await set.source.tick();
    const settings = { mode: "keep_all", dateformat: '"all"', loop_delay: 0.1 };
    await using dispatcher = set.script("cube_dispatcher3", settings).start();
    await set.target.waitForRows(
      "select count(*)::int4, string_agg(v, '' order by v) filter (where id = 1) from t_all",
      [[10502, "xyz"]],
      dispatcher,
    );
    await set.source.produce(["D:id", "id=1&v=z", "public.t"]);
    await dispatcher.waitForOutput(/delete is not for this way of loading \(delete on table "public\.t"/);
  });

  it("cube_dispatcher3 makes tables by template, or uses what is there, and says what it cannot dispatch", async () => {
    await using set = await setUp("create schema s; create table base (id int, v text)");
    const template =
      "create table _DEST_TABLE (primary key (_PKEY)) inherits (public.base);\n  create index idx__SCHEMA_TABLE on _DEST_TABLE (v); comment on table _DEST_TABLE is 'for _PARENT, 100%%'";
    const script = (settings: Readonly<Record<string, string>>) => set.script("cube_dispatcher3", settings);
    await set.source.produce(["I:id", "id=1&v=a", "s.t"], ["I:id", "id=1&v=b", "s.t"]);
    await using dispatcher = script({ dateformat: '"d1"', part_template: template }).start();
    await set.target.waitForRows(
      `select id, v, tableoid::regclass::text, obj_description(tableoid), to_regclass('s.idx_s__t_d1') is not null from base`,
      [[1, "b", "s.t_d1", "for s.t, 100%", true]],
      dispatcher,
    );
    script({ dateformat: "" });
    await reload(dispatcher);
    await set.source.produce(["U:id", "id=1&v=c", "public.base"], ["D:id", "id=1&v=c", "s.t_d1"]);
    await set.target.waitForRows("select id, v from base", [[1, "c"]], dispatcher);
    for (const [type, table, message] of [
      [
        "I:id",
        "public.unknown",
        /event \d+ of "public\.unknown" is for table "public\.unknown", which does not exist/,
      ],
      ["I:", "public.base", /event \d+ of "public\.base" has no key, which mode keep_latest needs/],
      ["R", "public.base", /TRUNCATE of "public\.base" cannot be dispatched/],
    ] as const) {
      await set.source.produce([type, "id=9&v=z", table]);
      await dispatcher.waitForOutput(message);
      script({ dateformat: "", consumer_filter: `not (ev_type = '${type}' and ev_extra1 = '${table}')` });
      await reload(dispatcher);
      await waitForEnd(set);
    }
    script({ dateformat: '"d2"', consumer_filter: "ev_extra1 = 'public.unknown'" });
    await reload(dispatcher);
    await set.source.produce(["I:id", "id=9&v=z", "public.unknown"]);
    await dispatcher.waitForOutput(
      /is for table "public\.unknown", which does not exist .*\n.*tables of a period are made like it/,
    );
    assert.deepEqual(await set.target.rows("select to_regclass('public.unknown_d2')"), [[null]]);
  });

  it("a table's name in an event is nothing but a name in cube_dispatcher3's template", async () => {
    await using set = await setUp("create table canary (); create table base (id int, v text)");
    const template =
      "create table _DEST_TABLE (primary key (_PKEY)) inherits (public.base); create index idx__SCHEMA_TABLE on _DEST_TABLE (v)";
    const hostile = `public.t ("; drop table canary; --'$$`;
    const settings = (more: string) => ({ dateformat: '"d"', part_template: `${template}${more}` });
    await set.source.produce(["I:id", "id=1&v=a", hostile]);
    await using dispatcher = set.script("cube_dispatcher3", settings("")).start();
    await set.target.waitForRows(
      "select c.relname, b.id from base b join pg_class c on c.oid = b.tableoid",
      [[`${hostile.slice("public.".length)}_d`, 1]],
      dispatcher,
    );
    for (const [quotes, id] of [
      ["comment on table _DEST_TABLE is 'of _PARENT'", 2],
      ["do $$ begin perform 1; -- _DEST_TABLE\n  end $$", 3],
      ['comment on table "_PARENT" is null', 4],
    ] as const) {
      set.script("cube_dispatcher3", settings(`; ${quotes}`));
      await reload(dispatcher);
      await set.source.produce(["I:id", `id=${id}&v=a`, `${hostile}${id}`]);
      await dispatcher.waitForOutput(
        new RegExp(
          `\\$\\$${id}(?:_d)?" cannot be put into the string or comment around %\\((?:parent|part)\\)s`,
        ),
      );
      set.script("cube_dispatcher3", { ...settings(""), consumer_filter: `ev_data <> 'id=${id}&v=a'` });
      await reload(dispatcher);
      await waitForEnd(set);
    }
    assert.deepEqual(await set.target.rows("select to_regclass('canary')::text, count(*)::int4 from base"), [
      ["canary", 1],
    ]);
  });

  it("several cube dispatchers make the tables of a day once", async () => {
    await using set = await setUp("create table t (id int primary key, who text)");
    const names = ["one", "two", "three"];
    await set.source.query(
      `select pgq.register_consumer('q', x) from unnest(array['${names.join("','")}']) x`,
    );
    await set.source.produce(["I:id", "id=1&who=a", "public.t"]);
    // All of them have looked for the table, and not found it, before the first may make it.
    const gate = set.target
      .query(`begin; select pg_advisory_xact_lock(pg_catalog.hashtextextended('skytools create partition', 0));
        select pg_sleep(1000)`)
      .then(() => "was not cancelled", String);
    const lockCount = async (condition: string) =>
      (
        await set.target.rows(`select count(*)::int4 from pg_locks l join pg_database d on d.oid = l.database
           where l.locktype = 'advisory' and ${condition} and d.datname = current_database()`)
      )[0]?.[0];
    await waitFor("the gate", async () => (await lockCount("l.granted")) === 1);
    const programs = names.map((name) =>
      set
        .script("cube_dispatcher3", {
          job_name: name,
          dateformat: '"d"',
          part_template: "create table _DEST_TABLE (like _PARENT including all); create table made_once ()",
        })
        .start(),
    );
    try {
      await waitFor("all to wait", async () => (await lockCount("not l.granted")) === names.length);
      await set.target.query(
        "select pg_cancel_backend(pid) from pg_stat_activity where query ~ '^begin.*advisory'",
      );
      assert.match(await gate, /canceling statement/);
      for (const name of names) {
        await waitFor(
          name,
          async () =>
            (await set.target.rows(`select from pgq_ext.completed_tick where consumer_id = '${name}'`))
              .length > 0,
          {
            onTimeout: () => programs.map((program) => program.outputTail()).join("\n"),
          },
        );
      }
      assert.deepEqual(await set.target.rows("select id from t_d"), [[1]]);
      for (const program of programs) assert.doesNotMatch(program.stderrText(), /ERROR/);
    } finally {
      for (const program of programs) await program[Symbol.asyncDispose]();
    }
  });

  it("table_dispatcher3 loads inserts into partitions by a date of theirs, killed in mid-batch", async () => {
    await using set = await setUp("create table log (id int, at timestamp, line text)");
    const template = "create table _DEST_TABLE () inherits (public.log)";
    const settings = {
      dest_table: "log",
      part_column: "at",
      part_method: "monthly",
      part_template: template,
      fields: "id, when:at, at, msg:line",
    };
    const script = set.script("table_dispatcher3", { ...settings, fields: "id, at, msg:line" });
    await set.source.produce(
      ["weblog", "id=1&at=2026-11-20+10:00&msg=one&more=x", null],
      ["I:id", "id=2&at=2026-12-01&msg=two", "public.a"],
      ["I", "(id, at, msg) values ('3', '2026-11-30 23:59:59', 'it''s')", "public.b"],
      ['{"op":"INSERT","pkey":["id"]}', '{"id":4,"at":"2026-12-24T18:00:00","msg":null}', "public.c"],
    );
    for (const point of ["consumer.before-target-commit", "consumer.after-target-commit"]) {
      await using victim = script.start({ SKYTOOLS_CRASH_POINT: `${point}=kill` });
      assert.equal((await victim.exit).signal, "SIGKILL", victim.outputTail());
    }
    await set.source.produce(["weblog", "id=5&at=2026-11-01+00:00&msg=five", null]);
    await using dispatcher = script.start();
    await set.target.waitForRows(
      "select tableoid::regclass::text, id, line from log order by id",
      [
        ["log_2026_11", 1, "one"],
        ["log_2026_12", 2, "two"],
        ["log_2026_11", 3, "it's"],
        ["log_2026_12", 4, null],
        ["log_2026_11", 5, "five"],
      ],
      dispatcher,
    );
    await set.source.produce(["U:id", "id=5&at=2026-11-01+00:00&msg=six", "public.log"]);
    await dispatcher.waitForOutput(/event \d+ is not an insert but update of "public\.log"/);
    set.script("table_dispatcher3", {
      ...settings,
      consumer_filter: "ev_type not like 'U%%'",
      fields: "id:",
    });
    dispatcher.signal("SIGHUP");
    await dispatcher.waitForOutput(/Config not reloaded.*fields: "id:" is not a list of columns/);
    set.script("table_dispatcher3", { ...settings, consumer_filter: "ev_type not like 'U%%'", fields: "*" });
    await reload(dispatcher);
    await set.source.produce(["I:", "id=7&at&line=nowhere", null]);
    await dispatcher.waitForOutput(/part_field\(at\) is NULL: event \d+/);
  });

  it("table_dispatcher3 splits by event time with create_partition, and needs a partition to be there without", async () => {
    await using set = await setUp(`create table "Log Of" (id int, line text)`);
    const settings = { dest_table: "public.Log Of", part_field: "_EVTIME" };
    await set.source.produce(["I:id", "id=1&line=a", "public.x"]);
    const at = "to_char(ev_time, '_YYYY_MM_DD')";
    const [day] = await set.source.rows(`select 'Log Of' || ${at} from pgq.event_template`);
    await using dispatcher = set.script("table_dispatcher3", settings).start();
    await set.target.waitForRows(
      `select relname, id from "Log Of" t join pg_class c on c.oid = t.tableoid`,
      [[...(day ?? []), 1]],
      dispatcher,
    );
    await set.target.query("drop function create_partition(text, text, text, text, timestamptz, text)");
    set.script("table_dispatcher3", { dest_table: "public.other", part_field: "day" });
    await reload(dispatcher);
    await set.source.produce(["I:id", "id=1&day=2026-11-20", "public.x"]);
    await dispatcher.waitForOutput(/table "public\.other_2026_11_20" does not exist on .*/);
    await set.target.query("create table other_2026_11_20 (id int, day date)");
    await set.target.waitForRows("select id from other_2026_11_20", [[1]], dispatcher);
    set.script("table_dispatcher3", { dest_table: "public.other" });
    await reload(dispatcher);
    await set.source.produce(["I:id", "id=2&day=2026-11-20", "public.x"]);
    await dispatcher.waitForOutput(/is for table "public\.other", which does not exist/);
    await set.target.query("create table other (id int, day date)");
    await set.target.waitForRows("select id from other", [[2]], dispatcher);
  });

  it("mistakes in the configuration are named before anything happens", async () => {
    await using set = await setUp("");
    const cube = await set.script("cube_dispatcher3", { mode: "keep_some" }).run("--check");
    assert.match(
      cube.stderr,
      /cube_dispatcher3\.ini:\d+: \[cube_dispatcher3\] mode: "keep_some" is not one of keep_latest, keep_all/,
    );
    const settings = { part_field: "a", part_column: "b", fields: "x:y:z", part_method: "daily" };
    const none = await set.script("table_dispatcher3", settings).run("--check");
    assert.match(none.stderr, /\[table_dispatcher3\] dest_table: required key is not set/);
    const table = await set.script("table_dispatcher3", { dest_table: "t", ...settings }).run();
    assert.equal(table.code, 1);
    assert.match(table.stderr, /\d+: \[table_dispatcher3\] part_column: is another name of part_field/);
    assert.match(table.stderr, /\d+: \[table_dispatcher3\] fields: "x:y:z" is not a list of columns/);
  });
});

/** Until nothing is left in the queue. */
async function waitForEnd(set: ScriptSet): Promise<void> {
  await waitFor("the end of the queue", async () => {
    const [row] = await set.source.rows(
      "select last_tick = (select max(tick_id) from pgq.tick) from pgq.get_consumer_info('q', 'job')",
    );
    return row?.[0] === true;
  });
}
