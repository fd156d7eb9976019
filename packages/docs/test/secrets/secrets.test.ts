import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import {
  type Cluster,
  moduleDatabase,
  startCluster,
  startProgram,
  type TemporaryDirectory,
  temporaryDirectory,
} from "@skytools/testbed";
import { installedPrograms } from "#src/programs.js";

/* doc/howto/security.adoc: passwords are not shown in logs, errors and the list of processes. Every program connects with passwords
 * in connect strings and in its environment, says as much as it can, and everything that it leaves is looked through. */

const secret = "geheim";
const inEnvironment = `${secret}-environment`;
const wrong = `${secret}-wrong`;
const root = fileURLToPath(new URL("../../../..", import.meta.url));
const recorder = new URL("spawn-recorder.js", import.meta.url).href;

/** What a program is started with. */
interface Use {
  /** lines of its section, without those of all; undefined: it takes no configuration file */
  readonly settings?: Readonly<Record<string, string>>;
  readonly args: readonly string[];
  /** a daemon that has said this is asked to end */
  readonly until?: RegExp;
}

let cluster: Cluster;
let directory: TemporaryDirectory;

/** As an administrator writes it, with a password that needs quotes. */
const good = (more = "") =>
  `host=localhost port=${cluster.port} user=joe dbname=shop password='${secret}\\'s one' ${more}`.trim();
const bad = () => `postgresql://joe:${wrong}@localhost:${cluster.port}/shop`;

const path = (name: string) => join(directory.path, name);
const consumer = (connstr: string) => ({ src_db: connstr, dst_db: connstr, queue_name: "q" });

/** For each program what connects to a database in the most telling way, with a connect string that works or one that does not.
 * Those that connect to none have no use. */
function usesOf(program: string, connstr: string): readonly Use[] {
  switch (program) {
    case "catsql3":
    case "find_sql_functions3":
    case "grantfu3":
      return [];
    case "pgqd":
      return [
        {
          settings: { base_connstr: connstr, initial_database: "shop", database_list: "shop", syslog: "0" },
          args: ["-v", "-v"],
          until: /pgq version ok|password authentication failed/,
        },
      ];
    case "pgqadm":
      return [{ settings: { db: connstr }, args: ["status", "--json"] }];
    case "londiste3":
      return [
        {
          settings: { db: connstr, queue_name: "l" },
          args: ["create-root", "n1", connstr, `--set=db=${connstr}`],
        },
        { settings: { db: connstr, queue_name: "l" }, args: ["status", "--json"] },
        { settings: { db: connstr, queue_name: "l" }, args: ["node-info", "--json"] },
      ];
    case "setadm3":
      return [{ settings: { node_db: connstr, queue_name: "l" }, args: ["members", "--json"] }];
    case "qadmin":
      return [{ args: [connstr, "-c", "show node *; show queue *;"] }];
    case "walmgr":
      return [
        {
          settings: {
            master_db: connstr,
            master_data: cluster.dataDirectory,
            walmgr_data: path("archive"),
            backup_wal: "include",
          },
          args: ["backup", "--json"],
        },
        {
          settings: { primary_conninfo: connstr, slave_data: path("restored"), walmgr_data: path("archive") },
          args: ["restore", "--no-start", "--json"],
        },
        {
          settings: { slave_data: path("none"), walmgr_data: path("archive") },
          args: ["rejoin", connstr, "--clone", "--dry-run"],
        },
      ];
    case "scriptmgr3":
      return [
        {
          settings: { config_list: path("pgqadm-1.ini") },
          args: ["status", "--json"],
        },
      ];
    case "simple_consumer3":
    case "simple_serial_consumer3":
      return [{ settings: { ...consumer(connstr), dst_query: "select 1" }, args: ["--register"] }];
    case "simple_local_consumer3":
      return [
        {
          settings: { ...consumer(connstr), dst_query: "select 1", local_tracking_file: path("local.tick") },
          args: ["--register"],
        },
      ];
    case "queue_mover3":
    case "queue_splitter3":
    case "bulk_loader3":
    case "cube_dispatcher3":
    case "table_dispatcher3":
      return [
        {
          settings: {
            ...consumer(connstr),
            ...(program === "queue_mover3" ? { dst_queue_name: "q2" } : {}),
            ...(program === "table_dispatcher3" ? { dest_table: "t" } : {}),
          },
          args: ["--register"],
        },
      ];
    case "queue_loader3":
      return [{ settings: { db: connstr, queue_name: "l" }, args: [], until: /ERROR/ }];
    case "data_maintainer3":
      return [
        {
          settings: {
            dbread: connstr,
            dbwrite: connstr,
            sql_get_pk_list: "select 1 as id",
            sql_modify: "select %%(id)s",
            loop_delay: "-1",
          },
          args: [],
        },
      ];
    case "skytools_upgrade3":
    case "skytools_doctor3":
      return [{ args: [connstr] }];
    default:
      throw new Error(`${program} is new: tell here how it connects`);
  }
}

let runs = 0;

/** @returns all that the program has said */
async function run(
  program: string,
  { settings, args, until }: Use,
  verbose: readonly string[],
): Promise<string> {
  runs += 1;
  const name = `${program}-${runs}`;
  const words = [...args];
  if (settings !== undefined) {
    const file = path(`${name}.ini`);
    const all = {
      ...(program === "pgqd" ? {} : { job_name: name }),
      logfile: path(`${name}.log`),
      pidfile: path(`${name}.pid`),
      ...settings,
    };
    const section = program === "scriptmgr3" ? "scriptmgr" : program;
    const more = program === "scriptmgr3" ? "[pgqadm]\nscript = pgqadm\ncwd = /\n" : "";
    const lines = Object.entries(all).map(([key, value]) => `${key} = ${value}\n`);
    writeFileSync(file, `[${section}]\n${lines.join("")}${more}`, { mode: 0o600 });
    if (program === "pgqd") words.push(file);
    else words.unshift(...verbose, file);
  }
  await using started = startProgram(program, words, {
    cwd: directory.path,
    env: {
      HOME: path("home"),
      PGPASSWORD: inEnvironment,
      SPAWN_RECORDS: path("records"),
      NODE_OPTIONS: `--import=${recorder}`,
    },
  });
  if (until !== undefined) {
    const log = path(`${name}.log`);
    await Promise.race([started.exit, started.waitForOutput(until).catch(() => undefined)]);
    started.signal("SIGINT");
    await started.exit;
    const logged = existsSync(log) ? readFileSync(log, "utf8") : "";
    return started.stdoutText() + started.stderrText() + logged;
  }
  await started.exit;
  return started.stdoutText() + started.stderrText();
}

/** Files below a directory, without configurations, which hold what the administrator wrote. */
function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith(".ini"))
    .map((entry) => join(entry.parentPath, entry.name));
}

function holdsSecret(file: string): boolean {
  return readFileSync(file).includes(secret);
}

describe("a password shows nowhere", () => {
  before(async () => {
    cluster = await startCluster({ tcp: true });
    directory = await temporaryDirectory("secrets");
    for (const name of ["home", "records", "archive"]) mkdirSync(path(name));
    for (const name of ["logs.complete", "logs.partial"]) mkdirSync(path(`archive/${name}`));
    writeFileSync(
      join(cluster.dataDirectory, "pg_hba.conf"),
      "local all all trust\nhost all joe localhost scram-sha-256\nhost replication joe localhost scram-sha-256\n",
    );
    await cluster.query(`create role joe superuser login replication password '${secret}''s one'`);
    await cluster.reload();
    await moduleDatabase(cluster, ["pgq", "pgq_coop", "pgq_ext", "pgq_node", "londiste"], "shop");
    await cluster.query("select pgq.create_queue('q'), pgq.create_queue('q2')", [], "shop");
    await cluster.query("create table t (id int primary key)", [], "shop");
  });
  after(async () => {
    await directory[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });

  const programs = installedPrograms(root).map(({ name }) => name);

  describe("in what programs write, however much they are asked to say", { concurrency: 3 }, () => {
    for (const program of programs) {
      it(program, async () => {
        for (const use of usesOf(program, good())) {
          const said = await run(program, use, ["-v", "-v"]);
          assert.ok(!said.includes(secret), said);
          if (use.args.includes("create-root"))
            assert.match(said, /WARNING password in public connect string/);
          assert.doesNotMatch(said, /password authentication failed/, "it has connected");
          if (use.until !== undefined) assert.match(said, use.until);
        }
        for (const use of usesOf(program, bad()).slice(0, 1)) {
          const said = await run(program, use, ["-v", "-v"]);
          assert.ok(!said.includes(secret), said);
          if (program !== "scriptmgr3") assert.match(said, /password authentication failed/);
        }
      });
    }
  });

  it("in files that others can read", () => {
    const files = filesBelow(directory.path).filter((file) => !file.startsWith(path("records")));
    const telling = files.filter(holdsSecret);
    for (const file of telling) assert.equal(statSync(file).mode & 0o077, 0, file);
    // A node's connect string is in a table, and so in backups.
    assert.deepEqual(
      telling.filter((file) => !/\/(base|pg_wal)\//.test(file)),
      [path("restored/postgresql.auto.conf")],
    );
    assert.ok(
      files.some((file) => file.endsWith("backup.json")) && files.some((file) => file.endsWith(".log")),
    );
  });

  it("in the list of processes, or in the environment of programs that connect to nothing", () => {
    const records = filesBelow(path("records"))
      .flatMap((file) => readFileSync(file, "utf8").trimEnd().split("\n"))
      .map((line) => JSON.parse(line) as { command: string; words: string[]; password: string | null });
    const shown = records.filter(({ words }) => words.join(" ").includes(secret));
    assert.deepEqual(shown, []);
    const handed = records.filter(
      ({ command, password }) => password !== null && command !== process.execPath,
    );
    assert.deepEqual(handed, []);
    assert.ok(records.length >= programs.length - 3, String(records.length));
  });
});
