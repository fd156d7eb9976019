import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  type Cluster,
  moduleDatabase,
  type ProgramResult,
  runProgram,
  startCluster,
  type TemporaryDirectory,
  temporaryDirectory,
} from "@skytools/testbed";

/* Names that would break out of whatever quotes them wrongly, through the commands: each works exactly, or is refused by one error. */

const hostile = `n'a"m\\e $1 %s $$;drop table canary;-- ünï汉`;
let cluster: Cluster;
let directory: TemporaryDirectory;

before(async () => {
  cluster = await startCluster();
  directory = await temporaryDirectory("names");
  await moduleDatabase(cluster, ["pgq", "pgq_node", "londiste"], "shop");
  await query("create table canary (id int); insert into canary values (1)");
  const connect = `db = ${cluster.connstr("shop")}`;
  write("adm.ini", `[pgqadm]\n${connect}\n`);
  write(
    "node.ini",
    `[londiste3]\njob_name = ${inIni(hostile)}\n${connect}\nqueue_name = ${inIni(hostile)}\npidfile = node.pid\n`,
  );
});

after(async () => {
  await directory[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

function query<R extends Record<string, unknown>>(
  sql: string,
  parameters: readonly unknown[] = [],
): Promise<R[]> {
  return cluster.query<R>(sql, parameters, "shop");
}

function write(file: string, text: string): void {
  writeFileSync(join(directory.path, file), text);
}

function inIni(text: string): string {
  return text.replaceAll("%", "%%");
}

/** As an identifier. */
function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

async function run(command: string, ...args: string[]): Promise<ProgramResult> {
  const result = await runProgram(command, args, { cwd: directory.path });
  assert.deepEqual(await query("select id from canary"), [{ id: 1 }], `${command} ${args.join(" ")}`);
  return result;
}

async function succeeds(command: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(command, ...args);
  assert.equal(code, 0, `${command} ${args.join(" ")}\n${stdout}${stderr}`);
  return stdout;
}

test("queues and consumers of pgqadm", async () => {
  for (const name of [`q ${hostile}`, "line\nbreak ' \"", "n".repeat(63)]) {
    await succeeds("pgqadm", "adm.ini", "create", name);
    await succeeds("pgqadm", "adm.ini", "register", name, name);
    assert.deepEqual(
      await query("select queue_name, consumer_name from pgq.get_consumer_info() where queue_name = $1", [
        name,
      ]),
      [{ queue_name: name, consumer_name: name }],
    );
    await succeeds("pgqadm", "adm.ini", "unregister", name, name);
    await succeeds("pgqadm", "adm.ini", "drop", name);
  }
  assert.deepEqual(await query("select queue_name from pgq.queue"), []);
});

test("queue, node, table, column, sequence, handler argument and file names of londiste3", async () => {
  const table = `public.${hostile}`;
  await query(
    "create schema partconf; create function partconf.get_hash_raw(int) returns int language sql return $1",
  );
  await query(
    `create table ${quoted(hostile)} (${quoted(hostile)} int primary key); create sequence ${quoted(`s ${hostile}`)}`,
  );
  await succeeds("londiste3", "node.ini", "create-root", hostile, cluster.connstr("shop"));
  assert.deepEqual(await query("select queue_name, node_name from pgq_node.node_info"), [
    { queue_name: hostile, node_name: hostile },
  ]);
  await succeeds(
    "londiste3",
    "node.ini",
    "add-table",
    table,
    "--handler=shard",
    `--handler-arg=hash_key=${hostile}`,
  );
  await succeeds("londiste3", "node.ini", "add-seq", `public.s ${hostile}`);
  await query(`insert into ${quoted(hostile)} values (1)`);
  assert.deepEqual(
    await query("select ev_extra1, ev_extra3 from pgq.event_template where ev_type ~ '^[{I]'"),
    [{ ev_extra1: table, ev_extra3: "hash=1" }],
  );
  assert.ok((await succeeds("londiste3", "node.ini", "tables")).includes(hostile));
  assert.ok((await succeeds("londiste3", "node.ini", "seqs")).includes(hostile));
  await succeeds("londiste3", "node.ini", "status", "--json");
  const script = `${hostile}.sql`;
  write(script, "create table made (id int);");
  await succeeds("londiste3", "node.ini", "execute", script);
  assert.deepEqual(await query("select execute_file from londiste.applied_execute"), [
    { execute_file: script },
  ]);
  await succeeds("londiste3", "node.ini", "remove-table", table);
  await succeeds("londiste3", "node.ini", "remove-seq", `public.s ${hostile}`);
  assert.deepEqual(await query("select table_name from londiste.table_info"), []);
});

test("a row filter is one expression: what would end the statement around it is refused by name, before anything is registered", async () => {
  await query("create table rows (id int primary key, note text)");
  const add = (where: string) => run("londiste3", "node.ini", "add-table", "rows", `--where=${where}`);
  for (const [where, says] of [
    [
      "true); drop table canary; --",
      /ERROR where of public\.rows has a "\)" without its "\("\nHINT: It is one SQL expression/,
    ],
    ["id > 0 -- all", /ERROR where of public\.rows ends in a comment\n/],
  ] as const) {
    const { code, stderr } = await add(where);
    assert.equal(code, 1, stderr);
    assert.match(stderr, says);
  }
  assert.deepEqual(await query("select table_name from londiste.table_info"), []);
  const repair = await run("londiste3", "node.ini", "repair", "rows", "--repair-where=true) or (true");
  assert.equal(repair.code, 2);
  assert.match(repair.stderr, /ERROR --repair-where has a "\)" without its "\(": it is one SQL expression\n/);
  await succeeds("londiste3", "node.ini", "add-table", "rows", "--where=note <> ');drop table canary;--'");
  await succeeds("londiste3", "node.ini", "remove-table", "rows");
});

test("names in statements of qadmin", async () => {
  const name = quoted(`c ${hostile}`);
  const connect = ["-h", cluster.socketDir, "-p", String(cluster.port), "-U", "postgres", "-d", "shop"];
  await succeeds(
    "qadmin",
    ...connect,
    "-c",
    `create queue ${name}; register consumer ${name} on ${name}; show queue ${name};`,
  );
  assert.deepEqual(await query("select consumer_name from pgq.get_consumer_info($1)", [`c ${hostile}`]), [
    { consumer_name: `c ${hostile}` },
  ]);
});
