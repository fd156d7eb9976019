import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { waitFor } from "@skytools/testbed";
import { NodeSet, type SetNode } from "../fixture/node-set.js";

let set: NodeSet;
let root: SetNode;
let branch: SetNode;
let leaf: SetNode;

const setup = `
  create schema partconf;
  create function partconf.get_hash_raw(i int) returns int language sql immutable as 'select i';
  create table partconf.conf (shard_nr int, shard_mask int, shard_count int);
  insert into partconf.conf values (1, 1, 2);
  create table filtered (id int primary key, v int);
  create table sharded (id int primary key, h int not null, v text);
  create table forwarded (id int primary key, h int not null, v text);
  create table dated (id int primary key, day date not null, v text);
  create table secret (id int primary key, name text, note text);
  create table jobs (id int primary key, what text);`;

before(async () => {
  set = await NodeSet.start();
  set.startTicker();
  root = await set.add("root", { type: "root", setup });
  root.startWorker();
  const settings = { obfuscator_map: "map.yaml", obfuscator_key: "k" };
  root.writeFile("map.yaml", "public.secret: {id: keep, name: hash, note: skip}\n");
  branch = await set.add("branch", { type: "branch", provider: root, setup, settings });
  await branch.query("alter table secret alter name type uuid using null");
  branch.startWorker();
  leaf = await set.add("leaf", { type: "leaf", provider: branch, setup });
  await leaf.query("alter table secret alter name type uuid using null");
  leaf.startWorker();
  await root.query(
    `insert into filtered select g, g from generate_series(1, 20) g;
     insert into sharded select g, g, 'copied' from generate_series(1, 10) g;
     insert into forwarded select * from sharded;
     insert into secret select g, 'name ' || g, 'private' from generate_series(1, 3) g`,
  );
});

after(async () => {
  await set[Symbol.asyncDispose]();
});

test("--where: only rows that meet the condition are copied, and follow in and out of it; compare knows", async () => {
  await root.londiste("add-table", "filtered");
  await set.settle(root, branch);
  await branch.londiste("add-table", "filtered", "--where=v > 10 and v < 100", "--wait-sync");
  assert.equal((await branch.query("select from filtered")).length, 10);
  await root.query(
    "update filtered set v = 0 where id = 20; update filtered set v = 50 where id = 1; insert into filtered values (100, 100), (101, 11)",
  );
  await set.settle(root, branch);
  const ids = await branch.query<{ id: number }>("select id from filtered order by id");
  assert.deepEqual(
    ids.map((row) => row.id),
    [1, 11, 12, 13, 14, 15, 16, 17, 18, 19, 101],
  );
  const compared = await branch.londiste("compare", "filtered");
  assert.match(compared.stdout, /public\.filtered identical: 11 rows/);
});

test("a node below a branch that has only some rows gets all of them from above, or is told", async () => {
  await set.settle(root, branch, leaf);
  const refused = await leaf.tryLondiste("add-table", "filtered", "--copy-node=branch");
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /cannot copy from "branch": with handler "filter" it does not have the rows/);
  await leaf.londiste("add-table", "filtered", "--wait-sync");
  await set.settle(root, branch, leaf);
  const rows = "select * from filtered order by id";
  assert.deepEqual(await leaf.query(rows), await root.query(rows));
  await leaf.londiste("remove-table", "filtered");
});

test("shard: a node copies, applies and passes on only rows of its own hash", async () => {
  await root.londiste("add-table", "sharded", "--handler=shard", "--handler-arg=hash_key=h");
  await set.settle(root, branch);
  await branch.londiste("add-table", "sharded", "--handler=shard", "--handler-arg=hash_key=h", "--wait-sync");
  await root.query(
    `insert into sharded select g, g, 'replayed' from generate_series(11, 20) g; update sharded set v = 'new' where id <= 2;
     update sharded set h = 100, v = 'left' where id = 9; update sharded set h = 101, v = 'came' where id in (2, 11)`,
  );
  await set.settle(root, branch);
  const rows = await branch.query<{ id: number; v: string }>("select * from sharded order by id");
  assert.deepEqual(
    rows.map((row) => row.id),
    [1, 2, 3, 5, 7, 11, 13, 15, 17, 19],
  );
  assert.deepEqual([rows[0]?.v, rows[1]?.v, rows[5]?.v], ["new", "came", "came"]);
  const queued = await branch.query<{ extra3: string }>(
    "select distinct ev_extra3 as extra3 from pgq.event_template where ev_extra1 = 'public.sharded'",
  );
  assert.ok(queued.length > 0 && queued.every((event) => Number(event.extra3.slice(5)) % 2 === 1));
  assert.match((await branch.londiste("compare", "sharded")).stdout, /identical: 10 rows/);
});

test("shard with disable_replay: a node stores nothing itself and passes on the rows of its own hash", async () => {
  const handler = ["--handler=shard", "--handler-arg=hash_key=h"];
  await root.londiste("add-table", "forwarded", ...handler, "--trigger-flags=J");
  await set.settle(root, branch);
  await branch.londiste("add-table", "forwarded", ...handler, "--handler-arg=disable_replay=true");
  await set.settle(root, leaf);
  await leaf.londiste("add-table", "forwarded", ...handler, "--wait-sync");
  await root.query(
    `insert into forwarded select g, g, 'replayed' from generate_series(11, 14) g;
     update forwarded set v = 'new' where id in (1, 2); delete from forwarded where id in (3, 4)`,
  );
  await set.settle(root, branch, leaf);
  assert.deepEqual(await branch.query("select * from forwarded"), []);
  assert.deepEqual(
    await leaf.query("select * from forwarded order by id"),
    await root.query("select * from forwarded where h % 2 = 1 order by id"),
  );
  const queued = await branch.query(
    `select ev_type::jsonb ->> 'op' as op, ev_data::jsonb ->> 'id' as id from pgq.event_template
      where ev_extra1 = 'public.forwarded' order by ev_id`,
  );
  assert.deepEqual(queued, [
    { op: "INSERT", id: "11" },
    { op: "INSERT", id: "13" },
    { op: "UPDATE", id: "1" },
    { op: "DELETE", id: "3" },
  ]);
});

test("dispatch: copied rows go to their partitions, a row whose date changes moves, a copy anew leaves nothing behind", async () => {
  await root.query("insert into dated values (1, '2024-01-05', 'copied'), (2, '2024-02-06', 'copied')");
  const handler = ["--handler=monthly_field", "--handler-arg=part_field=day"];
  await root.londiste("add-table", "dated", ...handler);
  await set.settle(root, branch);
  await branch.query("create role reader_of_dated; grant select on dated to reader_of_dated");
  await branch.londiste("add-table", "dated", ...handler, "--wait-sync");
  const rows = () => branch.query("select tableoid::regclass::text as part, id, v from dated order by id");
  assert.deepEqual(await rows(), [
    { part: "dated_2024_01", id: 1, v: "copied" },
    { part: "dated_2024_02", id: 2, v: "copied" },
  ]);
  await root.query(
    "insert into dated values (3, '2024-02-07', 'new'); update dated set day = '2024-03-01', v = 'moved' where id in (1, 3)",
  );
  await set.settle(root, branch);
  const expected = [
    { part: "dated_2024_03", id: 1, v: "moved" },
    { part: "dated_2024_02", id: 2, v: "copied" },
    { part: "dated_2024_03", id: 3, v: "moved" },
  ];
  assert.deepEqual(await rows(), expected);
  const readable = "select has_table_privilege('reader_of_dated', 'dated_2024_03', 'select') as is_readable";
  assert.deepEqual(await branch.query(readable), [{ is_readable: true }]);
  await branch.londiste("resync", "dated");
  await branch.londiste("wait-sync");
  assert.deepEqual(await rows(), expected);
});

test("dispatch: rows are copied to a table that is partitioned natively, and has no partition yet", async () => {
  await root.query("create table native (id int, day date, v text, primary key (id, day))");
  await branch.query(
    "create table native (id int, day date, v text, primary key (id, day)) partition by range (day)",
  );
  await root.query("insert into native values (1, '2024-01-05', 'copied'), (2, '2024-02-06', 'copied')");
  await root.londiste("add-table", "native");
  await set.settle(root, branch);
  const template =
    "create table %(part)s partition of %(parent)s for values from (date '%(part_time)s') to ((date '%(part_time)s' + interval '1 month')::date)";
  await branch.londiste(
    "add-table",
    "native",
    "--handler=monthly_field",
    "--handler-arg=part_field=day",
    `--handler-arg=part_template=${template}`,
    "--wait-sync",
  );
  await root.query("insert into native values (3, '2024-03-07', 'new')");
  await set.settle(root, branch);
  assert.deepEqual(
    await branch.query("select tableoid::regclass::text as part, id, v from native order by id"),
    [
      { part: "native_2024_01", id: 1, v: "copied" },
      { part: "native_2024_02", id: 2, v: "copied" },
      { part: "native_2024_03", id: 3, v: "new" },
    ],
  );
});

test("obfuscate: values are hidden in the copy, on replay, in the queue and behind it", async () => {
  await root.londiste("add-table", "secret");
  await set.settle(root, branch);
  await branch.londiste("add-table", "secret", "--handler=obfuscate", "--wait-sync");
  await set.settle(root, leaf);
  await leaf.londiste("add-table", "secret", "--wait-sync");
  await root.query(
    "insert into secret values (4, 'name 4', 'private'); update secret set name = 'name 1!' where id = 1",
  );
  await set.settle(root, branch, leaf);
  const hidden = await branch.query<{ id: number; name: string; note: string | null }>(
    "select * from secret order by id",
  );
  assert.equal(hidden.length, 4);
  assert.ok(hidden.every((row) => /^[0-9a-f-]{36}$/.test(row.name) && row.note === null));
  assert.deepEqual(await leaf.query("select * from secret order by id"), hidden);
  const leaks = await branch.query(
    "select from pgq.event_template where ev_data ~ 'name|private' and ev_data !~ '\"name\"'",
  );
  assert.deepEqual(leaks, []);
});

test("qtable and qsplitter: rows that are inserted come out of another queue and are in no table", async () => {
  await root.londiste("add-table", "jobs", "--handler=qtable");
  await set.settle(root, branch);
  await branch.query("select pgq.create_queue('jobs'), pgq.register_consumer('jobs', 'reader')");
  await branch.londiste("add-table", "jobs", "--handler=qsplitter", "--handler-arg=queue=jobs");
  await root.query("insert into jobs select g, 'job' from generate_series(1, 3) g");
  await set.settle(root, branch);
  assert.deepEqual(await root.query("select from jobs"), []);
  const events = await waitFor("the events", async () => {
    const found = await branch.query<{ ev_data: string }>(
      "select ev_data from pgq.event_template where ev_type ~ '^I' or ev_type ~ 'INSERT' order by ev_id",
    );
    return found.filter((event) => event.ev_data.includes("job")).length >= 3 ? found : undefined;
  });
  assert.ok(events.length >= 3);
});

test("change-handler replaces the handler and says when there is nothing to do", async () => {
  const changed = await branch.londiste(
    "change-handler",
    "filtered",
    "--handler=bulk",
    "--handler-arg=method=1",
  );
  assert.match(changed.stderr, /Handler changed for table: public\.filtered/);
  assert.match(
    (await branch.londiste("tables")).stdout,
    /public\.filtered +ok +\{'handler': 'bulk\(method=1\)'\}/,
  );
  const again = await branch.londiste(
    "change-handler",
    "filtered",
    "--handler=bulk",
    "--handler-arg=method=1",
  );
  assert.match(again.stderr, /Handler is already set to desired value, nothing done/);
  await root.query("update filtered set v = 77 where id = 2");
  await set.settle(root, branch);
  assert.deepEqual(await branch.query("select v from filtered where id = 2"), [{ v: 77 }]);
  const bad = ["--handler=filter", "--handler-arg=where=no_such > 1"];
  const refused = await branch.tryLondiste("change-handler", "filtered", ...bad);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /ERROR condition of public\.filtered: column "no_such" does not exist/);
  assert.match(
    (await branch.londiste("tables")).stdout,
    /public\.filtered +ok +\{'handler': 'bulk\(method=1\)'\}/,
  );
  const dry = await branch.londiste("change-handler", "filtered", "--dry-run");
  assert.doesNotMatch(dry.stderr, /Handler changed/);
  assert.equal(dry.stdout, "change handler of public.filtered from bulk(method=1) to londiste\n");
  const absent = await branch.tryLondiste("change-handler", "nowhere");
  assert.equal(absent.code, 1);
  assert.match(absent.stderr, /Table public\.nowhere not found on this node/);
});

test("show-handlers lists all and explains one", async () => {
  const all = await branch.londiste("show-handlers");
  for (const name of ["londiste", "bulk", "dispatch", "bulk_monthly_field", "multimaster"]) {
    assert.match(all.stdout, new RegExp(`^${name} - `, "m"));
  }
  const one = await branch.londiste("show-handlers", "bulk");
  assert.match(one.stdout, /--handler-arg:\n {2}method: .*default 0/);
  const unknown = await branch.tryLondiste("show-handlers", "bulks");
  assert.deepEqual([unknown.code, /unknown handler: bulks/.test(unknown.stderr)], [1, true]);
});

test("bad handler switches are refused before anything is registered", async () => {
  const cases: readonly [string[], RegExp][] = [
    [["--handler=no(x)"], /invalid handler name: no\(x\)/],
    [
      ["--handler=bulk", "--handler-arg=method=1", "--handler-arg=method=2"],
      /multiple handler arguments: method/,
    ],
    [["--handler=bulk", "--where=v > 1"], /--where is the handler filter/],
    [["--handler-arg=a=b"], /--handler-arg without --handler/],
    [["--where=no_such > 1"], /condition of public\.filtered: column "no_such" does not exist/],
    [["--where=v >"], /condition of public\.filtered: syntax error/],
    [["--merge-all", "--no-merge"], /Cannot use merge-all and no-merge together/],
  ];
  for (const [switches, message] of cases) {
    const result = await leaf.tryLondiste("add-table", "filtered", ...switches);
    // Whether a condition can be evaluated is known to the server only.
    assert.equal(result.code, message.source.startsWith("condition") ? 1 : 2, result.stderr);
    assert.match(result.stderr, message);
  }
  const local = await leaf.query(
    "select table_name from londiste.table_info where local and table_name = 'public.filtered'",
  );
  assert.deepEqual(local, []);
});
