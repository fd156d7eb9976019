import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import {
  type Cluster,
  moduleDatabase,
  type RunningProgram,
  runProgram,
  startCluster,
  startProgram,
  type TemporaryDirectory,
  temporaryDirectory,
  waitFor,
} from "@skytools/testbed";

describe("queue_loader3", () => {
  let cluster: Cluster;
  let directory: TemporaryDirectory;
  let nodes = 0;

  before(async () => {
    cluster = await startCluster();
    directory = await temporaryDirectory("loader");
    const connstr = await moduleDatabase(cluster, ["pgq", "pgq_node", "pgq_ext", "dispatch"], "root");
    await setadm("root", connstr, "create-root", "root", connstr, "--worker=root_w");
    await query(
      "root",
      `create table t (id int, v text, at timestamp, primary key (id));
       create table "Odd T" ("I d" int primary key, "select" text);
       create trigger capture after insert or update or delete on t for each row execute function pgq.logutriga('q');
       create trigger capture after insert or update or delete on "Odd T" for each row execute function pgq.jsontriga('q')`,
    );
  });
  after(async () => {
    await cluster[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
  });

  function query(database: string, sql: string): Promise<Record<string, unknown>[]> {
    return cluster.query<Record<string, unknown>>(sql, [], database);
  }

  async function rows(database: string, sql: string): Promise<unknown[][]> {
    return (await query(database, sql)).map((row) => Object.values(row));
  }

  async function setadm(name: string, connstr: string, ...args: string[]): Promise<void> {
    const file = join(directory.path, `${name}-setadm.ini`);
    writeFileSync(file, `[setadm3]\nnode_db = ${connstr}\nqueue_name = q\n`);
    const { code, stderr } = await runProgram("setadm3", [file, ...args]);
    assert.equal(code, 0, stderr);
  }

  /** A leaf with tables like the root's. @returns its database, and what writes its configuration */
  async function createLeaf(): Promise<{ name: string; configure: (text: string) => string }> {
    nodes += 1;
    const name = `leaf${nodes}`;
    const connstr = await moduleDatabase(cluster, ["pgq", "pgq_node", "pgq_ext", "dispatch"], name);
    await query(
      name,
      `create table t (id int, v text, at timestamp, primary key (id));
       create table "Odd T" ("I d" int primary key, "select" text)`,
    );
    // A node begins where the slowest one is.
    await query("root", "select pgq_node.set_global_watermark('q', (select max(tick_id) from pgq.tick))");
    const [row] = await query(
      "root",
      "select node_location as location from pgq_node.get_queue_locations('q') where node_name = 'root'",
    );
    await setadm(
      name,
      connstr,
      "create-leaf",
      name,
      connstr,
      `--provider=${String(row?.location)}`,
      `--worker=${name}_w`,
    );
    const configure = (text: string) => {
      const file = join(directory.path, `${name}.ini`);
      writeFileSync(
        file,
        `[queue_loader3]\njob_name = ${name}_w\ndb = ${connstr}\nqueue_name = q\nloop_delay = 0.1\nexception_sleep = 0.2\n${text}`,
      );
      return file;
    };
    return { name, configure };
  }

  async function produce(sql: string): Promise<void> {
    await query("root", sql);
    await query("root", "select pgq.force_tick('q')");
    await query("root", "select pgq.ticker('q')");
  }

  async function waitForRows(
    database: string,
    sql: string,
    expected: readonly (readonly unknown[])[],
    program: RunningProgram,
  ): Promise<void> {
    const wanted = JSON.stringify(expected);
    let seen = "";
    await waitFor(
      sql,
      async () => {
        seen = JSON.stringify(await rows(database, sql));
        return seen === wanted;
      },
      { onTimeout: () => `${seen}\nexpected ${wanted}${program.outputTail()}` },
    );
  }

  it("loads tables directly, as sets or one by one, killed at any moment", async () => {
    const { name, configure } = await createLeaf();
    const file = configure("table_mode = direct\n\n[public.Odd T]\nrow_mode = bulk\nbulk_mode = merged\n");
    const change = (from: number) =>
      produce(`insert into t select i, 'v' || i, '2026-11-20' from generate_series(${from}, ${from} + 99) i;
        update t set v = 'changed & more' where id % 3 = 0; delete from t where id % 7 = 0;
        insert into "Odd T" select i, 'x' from generate_series(${from}, ${from} + 49) i;
        update "Odd T" set "select" = null where "I d" % 2 = 0; delete from "Odd T" where "I d" % 5 = 0`);
    await change(1000);
    for (const point of ["worker.before-target-commit", "worker.after-target-commit"]) {
      await using victim = startProgram("queue_loader3", [file], {
        env: { SKYTOOLS_CRASH_POINT: `${point}=kill` },
      });
      assert.equal((await victim.exit).signal, "SIGKILL", victim.outputTail());
    }
    await using victim = startProgram("queue_loader", [file]);
    await victim.waitForOutput(/count: /);
    await change(1100);
    victim.signal("SIGKILL");
    await victim.exit;
    await change(1200);
    await using loader = startProgram("queue_loader3", [file]);
    for (const table of ["t", '"Odd T"']) {
      const sql = `select count(*)::int4, md5(string_agg(x::text, ',' order by x::text)) from ${table} x`;
      await waitForRows(name, sql, await rows("root", sql), loader);
    }
    await produce("select pgq.insert_event('q', 'odd', 'x')");
    await loader.waitForOutput(/Unhandled event type in queue: odd/);
    assert.doesNotMatch(victim.stderrText(), /ERROR/);
  });

  it("splits by batch time, event time, or a date of the row, and keeps the latest or all rows", async () => {
    const { name, configure } = await createLeaf();
    await query(name, "create table renamed (key int, v text, at timestamp)");
    const file = configure(`rename_tables = t:renamed
table_mode = ignore
[table public.t]
mode = split
split_mode = by-date-field:at
split_part = %%(table_name)s_%%(year)s_%%(month)s
create_sql = create table %%(dest)s (primary key (%%(pkey)s)) inherits (%%(parent)s)
row_mode = keep_latest
fields = id:key, v, at
`);
    await produce(`truncate t; insert into t values (1, 'a', '2026-11-20 10:00'), (2, 'b', '2026-12-01');
      insert into "Odd T" values (1, 'x'); update t set v = 'c' where id = 1; delete from t where id = 2`);
    await using loader = startProgram("queue_loader3", [file]);
    await waitForRows(
      name,
      "select tableoid::regclass::text, key, v from renamed order by key",
      [
        ["renamed_2026_11", 1, "c"],
        ["renamed_2026_12", 2, "b"],
      ],
      loader,
    );
    await loader.waitForOutput(/Events of table public\.Odd T are ignored/);
    await loader.waitForOutput(/\{ignored_events: 1, /);
    assert.doesNotMatch(loader.stderrText(), /ERROR/);
    configure(
      `table_mode = split\nrow_mode = keep_all\n[public.Odd T]\nsplit_mode = by-event-time\nsplit_part = %%(table_name)s/%%(hour)s\n`,
    );
    loader.signal("SIGHUP");
    await loader.waitForOutput(/Config reloaded/);
    await query(name, "alter table t drop constraint t_pkey");
    await produce(`update t set v = 'd' where id = 1; update t set v = 'e' where id = 1; delete from t where id = 1;
      update "Odd T" set "select" = 'y' where "I d" = 1`);
    await waitForRows(
      name,
      "select v, tableoid::regclass::text ~ '^t_20[0-9]{2}_[0-9]{2}_[0-9]{2}$' from t order by v",
      [
        ["d", true],
        ["e", true],
      ],
      loader,
    );
    assert.deepEqual(
      await rows(name, `select "select", tableoid::regclass::text ~ '^"Odd T/[0-9]{2}"$' from "Odd T"`),
      [["y", true]],
    );
  });

  it("a table's mistakes are found in its section; a reload with some changes nothing", async () => {
    const { configure } = await createLeaf();
    const file = configure(`table_mode = some
[public.a]
table_mode = split
split_mode = by-date
[public.b]
split_part = %%(table)s
fields = a:b:c
row_mod = plain
[t]
row_mode = bulk
`);
    const first = await runProgram("queue_loader3", [file, "--check"]);
    assert.equal(first.code, 1);
    assert.match(
      first.stderr,
      /\.ini:\d+: \[queue_loader3\] table_mode: "some" is not one of ignore, direct, split/,
    );
    const mistakes = `[public.a]
table_mode = split
split_mode = by-date
[public.b]
split_part = %%(table)s
fields = a:b:c
row_mod = plain
[t]
row_mode = bulk
`;
    const { code, stderr } = await runProgram("queue_loader3", [configure(mistakes), "--check"]);
    assert.equal(code, 1);
    assert.match(stderr, /\.ini:\d+: \[public\.a\] split_mode: "by-date" is not one of by-batch-time/);
    assert.match(
      stderr,
      /\.ini:\d+: \[public\.b\] split_part: there is no %\(table\)s\n.*%\(table_name\)s, /,
    );
    assert.match(stderr, /\.ini:\d+: \[public\.b\] fields: "a:b:c" is not a list of columns/);
    assert.match(stderr, /\.ini:\d+: \[public\.b\] row_mod: unknown key, perhaps row_mode is meant/);
    assert.match(
      stderr,
      /\.ini:\d+: \[t\] row_mode: the section of a table is named like the table: \[public\.t\]/,
    );
    configure("");
    await produce("select 1");
    await using loader = startProgram("queue_loader3", [file]);
    await loader.waitForOutput(/count: /);
    configure(mistakes);
    loader.signal("SIGHUP");
    await loader.waitForOutput(/Config not reloaded, the old one stays: .*split_mode/);
  });
});
