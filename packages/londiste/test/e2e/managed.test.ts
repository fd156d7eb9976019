// The main job as on managed servers: the nodes' user owns its databases and may create roles, and that is all.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  type Cluster,
  runProgram,
  startCluster,
  startProgram,
  temporaryDirectory,
  waitFor,
} from "@skytools/testbed";

const nodes = ["shop", "reports"] as const;
type Node = (typeof nodes)[number];
let cluster: Cluster;
let directory: string;
const resources: AsyncDisposable[] = [];

const connstr = (database: string) =>
  `host=${cluster.socketDir} port=${cluster.port} user=keeper dbname=${database}`;

before(async () => {
  cluster = keepUntilEnd(await startCluster());
  directory = keepUntilEnd(await temporaryDirectory("managed")).path;
  // Nothing that the nodes do depends on the search path.
  await cluster.query("create role keeper login createrole; alter role keeper set search_path = ''");
  for (const node of nodes) {
    await cluster.query(`create database ${node} owner keeper`);
    await cluster.query("alter schema public owner to keeper", [], node);
    const lines = [
      `[londiste3]\njob_name = ${node}\ndb = ${connstr(node)}\nqueue_name = q\nloop_delay = 0.05`,
      `exception_sleep = 0.2\nlogfile = ${node}.log\npidfile = ${node}.pid\n`,
    ];
    writeFileSync(join(directory, `${node}.ini`), lines.join("\n"));
  }
  await keep(
    "shop",
    `create table owner (id int primary key);
     create table account (id int primary key, owner int references owner, balance numeric);
     insert into owner select generate_series(1, 5); insert into account select n, 1 + n % 5, n from generate_series(1, 200) n`,
  );
  await keep(
    "reports",
    `create table owner (id int primary key);
     create table account (id int primary key, owner int references owner, balance numeric);
     create table seen (id int);
     create function note() returns trigger language plpgsql as
       $$ begin insert into public.seen values (new.id); return null; end $$;
     create trigger noted after insert on account for each row execute function note()`,
  );
});
after(async () => {
  for (const resource of resources.toReversed()) await resource[Symbol.asyncDispose]();
});

function keepUntilEnd<R extends AsyncDisposable>(resource: R): R {
  resources.push(resource);
  return resource;
}

/** SQL as the nodes' user. */
async function keep(node: Node, sql: string): Promise<void> {
  await cluster.query(`set session authorization keeper; ${sql}; reset session authorization`, [], node);
}

async function rows(node: Node, table: string): Promise<unknown[]> {
  return cluster.query(`select * from ${table} order by 1`, [], node);
}

async function tryLondiste(node: Node, ...args: string[]) {
  return runProgram("londiste3", [`${node}.ini`, ...args], { cwd: directory });
}

async function londiste(node: Node, ...args: string[]): Promise<string> {
  const result = await tryLondiste(node, ...args);
  assert.equal(result.code, 0, `${args.join(" ")}\n${result.stdout}${result.stderr}`);
  return `${result.stdout}${result.stderr}`;
}

test("schemas are installed, nodes created, pgqd and workers started", async () => {
  await londiste("shop", "create-root", "shop", connstr("shop"));
  await londiste("reports", "create-leaf", "reports", connstr("reports"), `--provider=${connstr("shop")}`);
  const [role] = await cluster.query<{ some: boolean }>(
    "select rolsuper or rolreplication or rolbypassrls as some from pg_roles where rolname = 'keeper'",
  );
  assert.equal(role?.some, false);
  const pgqd = `[pgqd]\nbase_connstr = host=${cluster.socketDir} port=${cluster.port} user=keeper\ninitial_database = shop\ndatabase_list = shop\nticker_period = 0.05\nsyslog = 0\nlogfile = pgqd.log\npidfile = pgqd.pid\n`;
  writeFileSync(join(directory, "pgqd.ini"), pgqd);
  await cluster.query(
    "select pgq.set_queue_config('q', 'ticker_max_lag', '50 milliseconds'), pgq.set_queue_config('q', 'ticker_idle_period', '1 second')",
    [],
    "shop",
  );
  keepUntilEnd(startProgram("pgqd", ["pgqd.ini"], { cwd: directory }));
  for (const node of nodes)
    keepUntilEnd(startProgram("londiste3", [`${node}.ini`, "worker"], { cwd: directory }));
});

test("add-table says what cannot be had, how to go without, and what then acts", async () => {
  await londiste("shop", "add-table", "owner", "account");
  const refused = await tryLondiste("reports", "add-table", "owner");
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /cannot set session_replication_role.*\nHINT: .*add-table --no-triggers/);
  await londiste("reports", "add-table", "owner", "--no-triggers", "--wait-sync");
  const said = await londiste("reports", "add-table", "account", "--no-triggers");
  assert.match(said, /public\.account: acts on replayed changes too: trigger noted\nHINT: /);
  assert.match(said, /public\.account: is checked on replay: foreign key account_owner_fkey\nHINT: /);
});

test("tables are copied, replayed in the order of foreign keys, and compare equal", async () => {
  await keep("reports", "alter table account disable trigger noted");
  await londiste("reports", "wait-sync");
  await keep(
    "shop",
    `insert into owner values (6); insert into account values (201, 6, 1); update account set balance = balance + 1;
     update account set owner = 6 where owner = 5; delete from owner where id = 5; delete from account where id = 7`,
  );
  await londiste("reports", "wait-root");
  for (const table of ["owner", "account"])
    assert.deepEqual(await rows("reports", table), await rows("shop", table));
  await londiste("reports", "compare");
});

test("a script is executed on both nodes", async () => {
  writeFileSync(join(directory, "note.sql"), "alter table public.account add column note text;\n");
  await londiste("shop", "execute", "note.sql");
  await keep("shop", "update account set note = 'x' where id = 1");
  await waitFor("the column and its value", async () => {
    const [row] = await cluster.query<{ note: string }>(
      "select note from account where id = 1",
      [],
      "reports",
    );
    return row?.note === "x";
  });
});

test("a script whose changes would be captured as well is refused and undone", async () => {
  writeFileSync(join(directory, "rows.sql"), "update public.account set note = 'twice' where id = 2;\n");
  const refused = await tryLondiste("shop", "execute", "rows.sql");
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /rows\.sql: .*changes rows of replicated tables.*\nHINT: Change rows outside/);
  const [row] = await cluster.query<{ note: string | null }>(
    "select note from account where id = 2",
    [],
    "shop",
  );
  assert.equal(row?.note, null);
});

test("repair finds what was changed here and puts it right", async () => {
  await keep("reports", "update account set balance = -1 where id = 9; delete from account where id = 10");
  assert.notEqual((await tryLondiste("reports", "compare", "account")).code, 0);
  await londiste("reports", "repair", "account", "--apply");
  await londiste("reports", "compare", "account");
  assert.deepEqual(await rows("reports", "account"), await rows("shop", "account"));
});
