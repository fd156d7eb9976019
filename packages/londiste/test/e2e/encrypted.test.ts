import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  addCertificates,
  type Cluster,
  certificateDirectory,
  moduleDatabase,
  type RunningProgram,
  runProgram,
  startCluster,
  startProgram,
  type TemporaryDirectory,
  temporaryDirectory,
  waitFor,
} from "@skytools/testbed";

/* Programs that reach their server by TLS with a password: certificates are checked, and the password is nowhere but where it
 * was written. */

const password = "s3cr3t'Wort \\%1";
const wrongPassword = "wr0ng-W0rt";
let cluster: Cluster;
let directory: TemporaryDirectory;
const programs: RunningProgram[] = [];
const output: string[] = [];

before(async () => {
  cluster = await startCluster({ tcp: true });
  directory = await temporaryDirectory("encrypted");
  addCertificates(cluster);
  writeFileSync(
    join(cluster.dataDirectory, "pg_hba.conf"),
    "local all all trust\nhostssl all worker all scram-sha-256\n",
  );
  await cluster.query(`create role worker superuser login password '${password.replaceAll("'", "''")}'`);
  await cluster.restart();
  await moduleDatabase(cluster, ["pgq", "pgq_node", "londiste"], "shop");
  await moduleDatabase(cluster, ["pgq", "pgq_node", "londiste"], "copy");
});

after(async () => {
  for (const program of programs) await program[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
  await directory[Symbol.asyncDispose]();
});

interface Way {
  readonly host?: string;
  readonly ca?: string;
  readonly secret?: string;
}

function connstr(database: string, { host = "localhost", ca = "ca.crt", secret }: Way = {}): string {
  const quoted = secret === undefined ? "" : ` password='${secret.replace(/[\\']/g, "\\$&")}'`;
  const name = database === "" ? "" : ` dbname=${database}`;
  return `host=${host} port=${cluster.port} user=worker${name} sslmode=verify-full sslrootcert=${join(certificateDirectory, ca)}${quoted}`;
}

function write(file: string, lines: readonly string[]): string {
  writeFileSync(join(directory.path, file), `${lines.join("\n")}\n`, { mode: 0o600 });
  return file;
}

function nodeConfig(name: string, database: string, way: Way): string {
  return write(`${name}.ini`, [
    "[londiste3]",
    `job_name = ${name}`,
    `db = ${connstr(database, way).replaceAll("%", "%%")}`,
    "queue_name = q",
    `logfile = ${name}.log`,
    `pidfile = ${name}.pid`,
    "loop_delay = 0.1",
    "exception_sleep = 0.2",
  ]);
}

function tickerConfig(name: string, way: Way): string {
  return write(`${name}.ini`, [
    "[pgqd]",
    `base_connstr = ${connstr("", way)}`,
    "database_list = shop",
    `logfile = ${name}.log`,
    `pidfile = ${name}.pid`,
    "syslog = 0",
    "ticker_period = 0.1",
    "retry_period = 0.5",
    "check_period = 0.5",
  ]);
}

type Environment = Readonly<Record<string, string>>;

async function londiste(config: string, args: readonly string[], env: Environment = {}) {
  const result = await runProgram("londiste3", ["-v", "-v", config, ...args], { cwd: directory.path, env });
  output.push(result.stdout, result.stderr);
  return result;
}

function start(command: string, args: readonly string[], env: Environment = {}): RunningProgram {
  const program = startProgram(command, args, { cwd: directory.path, env });
  programs.push(program);
  return program;
}

function log(name: string): string {
  try {
    return readFileSync(join(directory.path, `${name}.log`), "utf8");
  } catch {
    return "";
  }
}

test("with the right certificate and password, from the file, a password file and the environment, all works", async () => {
  const root = nodeConfig("root", "shop", { secret: password });
  const leaf = nodeConfig("leaf", "copy", {});
  const escaped = password.replace(/[\\:]/g, "\\$&");
  write("pgpass", [`localhost:${cluster.port}:*:worker:${escaped}`]);
  const fromFile = { PGPASSFILE: join(directory.path, "pgpass") };
  const fromEnvironment = { PGPASSWORD: password };
  const created = await londiste(root, ["create-root", "root", connstr("shop")], fromEnvironment);
  assert.equal(created.code, 0, created.stderr);
  const below = await londiste(
    leaf,
    ["create-leaf", "leaf", connstr("copy"), `--provider=${connstr("shop")}`],
    fromFile,
  );
  assert.equal(below.code, 0, below.stderr);
  await cluster.query("create table t (id int primary key)", [], "shop");
  await cluster.query("create table t (id int primary key)", [], "copy");
  start("pgqd", ["-v", tickerConfig("ticker", { secret: password })]);
  start("londiste3", ["-v", "-v", root, "worker"], fromFile);
  start("londiste3", ["-v", "-v", leaf, "worker"], fromEnvironment);
  assert.equal((await londiste(root, ["add-table", "t"], fromFile)).code, 0);
  assert.equal((await londiste(leaf, ["add-table", "t", "--wait-sync"], fromFile)).code, 0);
  await cluster.query("insert into t values (1)", [], "shop");
  await waitFor(
    "the row on the leaf",
    async () => (await cluster.query("select id from t", [], "copy")).length === 1,
    { onTimeout: () => [log("ticker"), log("root"), log("leaf")].join("\n").slice(-6000) },
  );
  assert.deepEqual(
    await cluster.query(
      `select distinct s.ssl from pg_stat_activity a join pg_stat_ssl s using (pid) where usename = 'worker'`,
    ),
    [{ ssl: true }],
  );
  write("consumer.ini", [
    "[simple_consumer3]",
    "job_name = consumer",
    `src_db = ${connstr("shop")}`,
    `dst_db = ${connstr("copy")}`,
    "queue_name = q",
    "dst_query = select 1",
    "logfile = consumer.log",
    "pidfile = consumer.pid",
  ]);
  const registered = await runProgram("simple_consumer3", ["-v", "consumer.ini", "--register"], {
    cwd: directory.path,
    env: fromFile,
  });
  output.push(registered.stdout, registered.stderr);
  assert.equal(registered.code, 0, registered.stderr);
});

for (const [what, way, says] of [
  ["another authority's certificate", { ca: "other-ca.crt" }, /certificate/],
  [
    "another name than the certificate's",
    { host: "127.0.0.1" },
    /127\.0\.0\.1.*certificate|certificate.*127\.0\.0\.1/,
  ],
  ["a wrong password", { secret: wrongPassword }, /password authentication failed/],
] as const) {
  test(`${what} is refused by each program, in words`, async () => {
    const settings: Way = { secret: password, ...way };
    const command = await londiste(nodeConfig("refused", "shop", settings), ["status"]);
    assert.notEqual(command.code, 0);
    assert.match(command.stderr, says);
    const worker = start("londiste3", ["-v", "-v", "refused.ini", "worker"]);
    const ticker = start("pgqd", ["-v", tickerConfig("refused_ticker", settings)]);
    await waitFor("the worker's log", () => says.test(log("refused")), { onTimeout: () => log("refused") });
    await waitFor("the ticker's log", () => says.test(log("refused_ticker")), {
      onTimeout: () => log("refused_ticker"),
    });
    for (const program of [worker, ticker]) await program[Symbol.asyncDispose]();
    write("refused.log", []);
    write("refused_ticker.log", []);
    output.push(worker.stdoutText(), worker.stderrText(), ticker.stdoutText(), ticker.stderrText());
  });
}

test("the passwords are in no log, output, process list or file that the programs made, and none of those is for others to write", async () => {
  const running = programs.filter((program) => program.isRunning);
  assert.equal(running.length, 3);
  const seen: [string, string][] = [
    ...output.map((text, nr): [string, string] => [`output ${nr}`, text]),
    ...running.map((program): [string, string] => [
      `command line of ${program.commandLine}`,
      readFileSync(`/proc/${program.pid}/cmdline`, "utf8"),
    ]),
    ...running.map((program): [string, string] => [
      `output of ${program.commandLine}`,
      program.stdoutText() + program.stderrText(),
    ]),
  ];
  const files = readdirSync(directory.path).filter((name) => !/\.ini$|^pgpass$/.test(name));
  assert.ok(files.includes("leaf.log") && files.includes("ticker.pid"), files.join());
  for (const name of files) {
    const path = join(directory.path, name);
    if (!statSync(path).isFile()) continue;
    seen.push([name, readFileSync(path, "utf8")]);
    assert.equal(statSync(path).mode & 0o022, 0, `${name} may be written by others`);
  }
  const [{ locations }] = (await cluster.query<{ locations: string }>(
    "select string_agg(node_location, ' ') as locations from pgq_node.node_location",
    [],
    "copy",
  )) as [{ locations: string }];
  seen.push(["node_location", locations]);
  for (const [where, text] of seen)
    for (const secret of ["s3cr3t", wrongPassword])
      assert.ok(!text.includes(secret), `${where}: ${text.slice(0, 2000)}`);
});
