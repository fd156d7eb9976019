import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import {
  type Cluster,
  type ProgramResult,
  type RunningProgram,
  runProgram,
  startCluster,
  startProgram,
  type TemporaryDirectory,
  temporaryDirectory,
  waitFor,
} from "@skytools/testbed";
import { throttle } from "#src/data-maintainer3/throttle.js";

const setup = `
  create table source (id int8 primary key, word text);
  insert into source select n, case when n % 5 = 0 then null else 'it''s %(x)s ' || n end from generate_series(1, 25) n;
  create table target (id int8, word text, tag text, at timestamptz default clock_timestamp());
  create table note (what text, id int8)`;

describe("data_maintainer3", () => {
  let cluster: Cluster;
  let directory: TemporaryDirectory;
  let count = 0;

  before(async () => {
    cluster = await startCluster();
    directory = await temporaryDirectory("maintainer");
  });
  after(async () => {
    await directory[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });

  /** A configuration over a database of its own. */
  class Maintainer {
    readonly name: string;
    readonly connstr: string;
    readonly #file: string;

    constructor(name: string, connstr: string) {
      this.name = name;
      this.connstr = connstr;
      this.#file = join(directory.path, `${name}.ini`);
    }

    static async create(settings: Readonly<Record<string, string | number>>): Promise<Maintainer> {
      const name = `maint${++count}`;
      const maintainer = new Maintainer(name, await cluster.createDatabase(name));
      await cluster.query(setup, [], name);
      maintainer.configure(settings);
      return maintainer;
    }

    /** Values stand as in the program, percent signs are doubled here. An empty value takes a usual key out. */
    configure(settings: Readonly<Record<string, string | number>>): void {
      const usual = {
        dbread: this.connstr,
        dbwrite: this.connstr,
        sql_get_pk_list: "select id, word from source order by id",
        sql_modify: "insert into target (id, word) values (%(id)s, %(word)s)",
        fetch_count: 10,
        exception_sleep: 0.1,
      };
      const lines = Object.entries({ ...usual, ...settings })
        .filter(([, value]) => value !== "")
        .map(([key, value]) => `${key} = ${String(value).replaceAll("%", "%%")}\n`);
      writeFileSync(this.#file, `[data_maintainer3]\n${lines.join("")}`);
    }

    run(...args: readonly string[]): Promise<ProgramResult> {
      return runProgram("data_maintainer3", [this.#file, ...args], { cwd: directory.path });
    }

    start(env: Readonly<Record<string, string>> = {}): RunningProgram {
      return startProgram("data_maintainer3", [this.#file], { env, cwd: directory.path });
    }

    async rows(sql: string): Promise<unknown[][]> {
      return (await cluster.query(sql, [], this.name)).map((row) => Object.values(row));
    }
  }

  const connection = (key: string, maintainer: { readonly connstr: string }) => ({
    [key]: maintainer.connstr,
  });

  it("works through a query's rows between sql_before_run and sql_after_run", async () => {
    const maintainer = await Maintainer.create({});
    maintainer.configure({
      ...connection("dbbefore", maintainer),
      ...connection("dbafter", maintainer),
      sql_before_run: "select 'tagged' as tag, 10::int8 as least",
      sql_modify: "insert into target select %(id)s, %(word)s, %(tag)s where %(id)s >= %(least)s",
      sql_after_run: "insert into note values (%(tag)s, %(id)s)",
    });
    const { code, stderr } = await maintainer.run();
    assert.equal(code, 0, stderr);
    assert.deepEqual(
      await maintainer.rows("select count(*)::int4 as a, count(word)::int4 as b, min(tag) from target"),
      [[16, 12, "tagged"]],
    );
    assert.deepEqual(
      await maintainer.rows(
        "select id from source s where word is distinct from (select word from target t where t.id = s.id) and id > 9",
      ),
      [],
    );
    assert.deepEqual(await maintainer.rows("select what, id::int4 from note"), [["tagged", 25]]);
    assert.match(stderr, /\{count: 25, processed: 16, duration: \d+\.\d+\}/);
    assert.match(stderr, /Script finished, 25 rows/);
    assert.doesNotMatch(stderr, /WARN|ERROR/);
  });

  it("counts what a SELECT says, and leaves sql_after_run out when there was nothing", async () => {
    const maintainer = await Maintainer.create({});
    maintainer.configure({
      ...connection("dbafter", maintainer),
      sql_modify: "select 2 as cnt, case when %(id)s::int8 = 3 then 'seen=5&good=1' end as stats",
      with_hold: 0,
      sql_after_run: "insert into note values ('after', %(id)s)",
      after_zero_rows: 0,
    });
    const counted = await maintainer.run();
    assert.match(counted.stderr, /\{count: 50, seen: 5, good: 1, duration: /);
    assert.deepEqual(await maintainer.rows("select id::int4 from note"), [[25]]);
    const none = await maintainer.run("--set", "sql_get_pk_list=select id from source where false");
    assert.equal(none.code, 0, none.stderr);
    assert.deepEqual(await maintainer.rows("select id::int4 from note"), [[25]]);
  });

  it("reads a CSV file once, whatever loop_delay says", async () => {
    const maintainer = await Maintainer.create({});
    writeFileSync(join(directory.path, "keys.csv"), "\uFEFFthe id;word\n7;'a;b'\n8;\n9;'it''s'\n");
    const settings = {
      dbread: "",
      sql_get_pk_list: "",
      fileread: "keys.csv",
      csv_delimiter: ";",
      csv_quotechar: "'",
    };
    const sql = "insert into target (id, word) values (%(the id)s, %(word)s)";
    maintainer.configure({ ...settings, loop_delay: 0.1, sql_modify: sql });
    const { code, stderr } = await maintainer.run();
    assert.equal(code, 0, stderr);
    const copied = [
      [7, "a;b"],
      [8, ""],
      [9, "it's"],
    ];
    assert.deepEqual(await maintainer.rows("select id::int4, word from target order by id"), copied);
    writeFileSync(join(directory.path, "keys.csv"), "the id;word\n7\n");
    const broken = await maintainer.run();
    assert.equal(broken.code, 1);
    assert.match(broken.stderr, /fileread: keys\.csv: Invalid Record Length/);
    for (const [text, message] of [
      ["the id;word\n7;caf\xe9\n", /fileread: keys\.csv: it is not UTF-8/],
      ["the id;word\n7;caf\xc3", /fileread: keys\.csv: it is not UTF-8/],
      ["the id;word;word\n7;a;b\n", /fileread: keys\.csv: column "word" stands there twice/],
    ] as const) {
      writeFileSync(join(directory.path, "keys.csv"), Buffer.from(text, "latin1"));
      const refused = await maintainer.run();
      assert.equal(refused.code, 1);
      assert.match(refused.stderr, message);
    }
    assert.deepEqual(await maintainer.rows("select id::int4, word from target order by id"), copied);
  });

  it("loses only the open block when a row fails, and says it to sql_on_crash", async () => {
    const maintainer = await Maintainer.create({});
    const settings = {
      ...connection("dbcrash", maintainer),
      sql_on_crash: "insert into note values ('crash', %(id)s)",
      sql_modify: "insert into target (id) select 100 / (17 - %(id)s::int4)",
    };
    maintainer.configure({ ...settings, autocommit: 0 });
    const block = await maintainer.run();
    assert.equal(block.code, 1);
    assert.match(block.stderr, /division by zero/);
    assert.deepEqual(await maintainer.rows("select count(*)::int4 from target"), [[10]]);
    assert.deepEqual(await maintainer.rows("select what, id::int4 from note"), [["crash", 17]]);
    maintainer.configure(settings);
    assert.equal((await maintainer.run()).code, 1);
    assert.deepEqual(await maintainer.rows("select count(*)::int4 from target"), [[26]]);
  });

  it("goes on where it was killed or stopped, with several writers", async () => {
    const maintainer = await Maintainer.create({});
    const checkpoint = join(directory.path, "position");
    const settings = {
      checkpoint_file: checkpoint,
      parallel_writers: 4,
      sql_get_pk_list: "select id from source where id > coalesce(%(last.id)s, 0) order by id",
      sql_modify: "insert into target (id, word) select %(id)s, pg_backend_pid()",
    };
    maintainer.configure(settings);
    await using killed = maintainer.start({ SKYTOOLS_CRASH_POINT: "maintainer.after-commit=kill:2" });
    assert.equal((await killed.exit).signal, "SIGKILL", killed.outputTail());
    assert.deepEqual(JSON.parse(readFileSync(checkpoint, "utf8")), { rowCount: 10, last: { id: "10" } });
    maintainer.configure({ ...settings, commit_delay: 1000 });
    await using stopped = maintainer.start();
    await stopped.waitForOutput(/going on after 10 rows/);
    // The delay begins when the checkpoint is there.
    await waitFor("the checkpoint", () => readFileSync(checkpoint, "utf8").includes("20"));
    stopped.signal("SIGINT");
    assert.equal((await stopped.exit).code, 0);
    assert.match(stopped.stderrText(), /Script stopped, 10 rows/);
    maintainer.configure(settings);
    assert.equal((await maintainer.run()).code, 0);
    assert.ok(!existsSync(checkpoint));
    const rows = await maintainer.rows(
      "select count(*)::int4 as a, count(distinct id)::int4 as b, count(distinct word) > 4 as c from target",
    );
    assert.deepEqual(rows, [[35, 25, true]]);
  });

  it("pauses as sql_throttle wants", async () => {
    const answers = [true, true, "1.5", 2n, false, true];
    const pauses: number[] = [];
    const warnings: string[] = [];
    const surroundings = {
      ask: async () => answers.shift(),
      sleep: async (ms: number) => void pauses.push(ms),
      isStopping: () => false,
      warn: (message: string) => void warnings.push(message),
    };
    await throttle(surroundings);
    assert.deepEqual([pauses, answers, warnings], [[30_000, 30_000, 1500, 2000], [true], []]);
    for (const odd of [null, "often"]) await throttle({ ...surroundings, ask: async () => odd });
    assert.equal(warnings.length, 2);
    const maintainer = await Maintainer.create({});
    maintainer.configure({
      ...connection("dbthrottle", maintainer),
      sql_throttle: "insert into note values ('asked', %(id)s) returning 0",
    });
    assert.equal((await maintainer.run()).code, 0);
    assert.deepEqual(await maintainer.rows("select id::int4 from note order by 1"), [[10], [20]]);
  });

  it("shows the first statements and changes nothing", async () => {
    const maintainer = await Maintainer.create({});
    maintainer.configure({
      ...connection("dbbefore", maintainer),
      sql_before_run: "insert into note values ('before', 1) returning 'tag' as tag",
      sql_modify: "insert into target (id, word, tag) values (%(id)s, %(word)s, %(tag)s)",
    });
    const { code, stdout, stderr } = await maintainer.run("--dry-run");
    assert.equal(code, 0, stderr);
    const lines = stdout.split("\n");
    assert.equal(lines.length, 12);
    assert.equal(
      lines[1],
      "sql_modify: insert into target (id, word, tag) values ('1'::int4, 'it''s %(x)s 1', %(tag)s)",
    );
    assert.deepEqual(
      await maintainer.rows(
        "select count(*)::int4 from (select 1 from note union all select 1 from target) x",
      ),
      [[0]],
    );
    const json = await maintainer.run("--dry-run", "--json", "--set", "sql_before_run=select 'T' as tag");
    assert.deepEqual(JSON.parse(json.stdout).at(1), {
      key: "sql_modify",
      sql: "insert into target (id, word, tag) values ('1'::int4, 'it''s %(x)s 1', 'T')",
    });
  });

  const mistakes = [
    [{ fileread: "x.csv" }, /fileread: excludes dbread and sql_get_pk_list/],
    [{ dbread: "" }, /dbread: required key is not set/],
    [{ sql_modify: "update t set a = 5 % 3" }, /sql_modify: .*is no parameter/],
    [{ sql_after_run: "select 1" }, /sql_after_run: needs a database, dbafter is not set/],
    [{ checkpoint_file: "x" }, /sql_get_pk_list: does not tell where to go on/],
    [{ csv_delimiter: ";;" }, /csv_delimiter: ";;" is not one character/],
    [{ fetch_count: 0 }, /fetch_count: 0 is less than 1/],
  ] as const;
  it("names the key of each mistake, before anything is done", async () => {
    const maintainer = await Maintainer.create({});
    const runs = mistakes.map(async ([settings, complaint]) => {
      const other = new Maintainer(`${maintainer.name}_${Object.keys(settings)[0]}`, maintainer.connstr);
      other.configure(settings);
      const { code, stderr } = await other.run();
      assert.equal(code, 1);
      assert.match(stderr, complaint);
    });
    await Promise.all(runs);
    assert.deepEqual(await maintainer.rows("select count(*)::int4 from target"), [[0]]);
  });
});
