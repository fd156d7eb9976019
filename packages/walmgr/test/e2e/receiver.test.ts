import assert from "node:assert/strict";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type RunningProgram, waitFor } from "@skytools/testbed";
import pg from "pg";
import { Stage } from "../fixture/stage.js";

let stage: Stage;
let archiveFile: string;
let receiver: RunningProgram;

before(async () => {
  stage = await Stage.start({ settings: { archive_mode: "off" } });
  await stage.primary.query("create table t (id int primary key, v text)");
  // A segment is to be full after a few rows.
  await stage.primary.query("alter table t alter v set storage external");
  archiveFile = await stage.file({
    walmgr_data: stage.archive,
    receive_conninfo: stage.primary.connstr(),
    // The receiver's own way counts.
    primary_conninfo: "host=/nonexistent",
    loop_delay: "0.1",
    exception_sleep: "0.2",
  });
  await stage.walmgr(archiveFile, ["setup"]);
});

after(async () => {
  await receiver?.[Symbol.asyncDispose]();
  await stage[Symbol.asyncDispose]();
});

/** Starts one when the server has noticed the end of the one before, whose connection would be taken for the new one's. */
async function startReceiver(env: Record<string, string> = {}): Promise<void> {
  await waitFor("the end of the former connection", async () => {
    const rows = await stage.primary.query(
      "select from pg_stat_replication where application_name = 'walmgr'",
    );
    return rows.length === 0;
  });
  receiver = stage.start(archiveFile, ["syncdaemon"], env);
}

async function receivedEverything(): Promise<void> {
  await waitFor("the receiver to have everything", async () => {
    const [row] = await stage.primary.query<{ done: boolean }>(
      "select flush_lsn = pg_current_wal_flush_lsn() as done from pg_stat_replication where application_name = 'walmgr'",
    );
    return row?.done;
  });
}

/** Commits rows one by one until the server is gone.
 * @returns the last row whose commit was confirmed */
async function commitUntilGone(from: number, onCommit: (id: number) => void): Promise<number> {
  const client = new pg.Client({
    host: stage.primary.socketDir,
    port: stage.primary.port,
    user: "postgres",
    database: "postgres",
  });
  client.on("error", () => {});
  await client.connect();
  let last = from - 1;
  try {
    for (let id = from; ; id++) {
      await client.query("insert into t values ($1, repeat('y', 2000))", [id]);
      last = id;
      onCommit(id);
    }
  } catch {
    return last;
  } finally {
    await client.end().catch(() => undefined);
  }
}

test("segments arrive whole, the begun one as a partial; a receiver that dies anywhere goes on where it was", async () => {
  for (const point of ["receiver.written=kill:3", "receiver.synced=kill:3", "receiver.segment-stored=kill"]) {
    await startReceiver({ SKYTOOLS_CRASH_POINT: point });
    await receiver.waitForOutput(/Receiving from/);
    let id = (await stage.primary.query<{ top: number }>("select coalesce(max(id), 0) as top from t"))[0]!
      .top;
    await waitFor(`the end by ${point}`, async () => {
      id += 1;
      await stage.primary.query("insert into t values ($1::int, repeat(md5($1::int::text), 3000))", [id]);
      return !receiver.isRunning;
    });
    assert.equal((await receiver.exit).signal, "SIGKILL", receiver.outputTail());
  }
  await startReceiver();
  await receivedEverything();
  const archived = (await stage.archivedNames()).filter((name) => name.length === 24);
  assert.ok(archived.length >= 1, archived.join());
  const verify = await stage.run(archiveFile, ["verify", "--json"]);
  assert.equal(verify.code, 0, verify.stdout + verify.stderr);
});

test("what was received of a segment that the archive holds otherwise is kept over restarts, and archived once the way is free", async () => {
  receiver.signal("SIGINT");
  await receiver.exit;
  await startReceiver({ SKYTOOLS_CRASH_POINT: "receiver.kept=kill" });
  await receiver.waitForOutput(/Receiving from/);
  // The segment is not to be full before the archive has another one of its name.
  await stage.primary.query("select pg_switch_wal()");
  await receivedEverything();
  const [row] = await stage.primary.query<{ name: string }>(
    "select pg_walfile_name(pg_current_wal_insert_lsn()) as name from pg_logical_emit_message(true, 'x', 'x')",
  );
  const partials = join(stage.archive, "logs.partial");
  const wrong = join(stage.archive, "logs.complete", row!.name);
  await writeFile(wrong, "of another primary");
  await stage.primary.query("select pg_switch_wal()");
  assert.equal((await receiver.exit).signal, "SIGKILL", receiver.outputTail());
  assert.match(receiver.outputTail(), /holds other content under the name/);
  const kept = join(partials, `${row!.name}.kept`);
  const received = await readFile(kept);

  await startReceiver();
  await receiver.waitForOutput(/stays as .*\.kept: the archive does not have the same/);
  await receiver.waitForOutput(/Receiving from/);
  assert.deepEqual(await readFile(kept), received);
  assert.equal(await readFile(wrong, "utf8"), "of another primary");
  const check = await stage.run(archiveFile, ["check"]);
  assert.match(check.stdout, /kept: the archive has another or a damaged copy .* \S+\.kept:/);
  receiver.signal("SIGINT");
  await receiver.exit;
  await rm(wrong);
  await startReceiver();
  await receiver.waitForOutput(/: archived from /);
  await receivedEverything();
  assert.deepEqual(await readFile(wrong), received);
  assert.deepEqual(
    (await readdir(partials)).filter((name) => name.includes(".kept")),
    [],
  );
});

test("a receiver that cannot note how far it is goes on, and ends in order", async () => {
  receiver.signal("SIGINT");
  await receiver.exit;
  const inTheWay = join(stage.archive, "logs.partial", "RECEIVER.tmp");
  await mkdir(inTheWay);
  await startReceiver();
  await receivedEverything();
  await receiver.waitForOutput(/cannot write the receiver's state: .*EISDIR/);
  receiver.signal("SIGINT");
  assert.deepEqual(await receiver.exit, { code: 0, signal: null }, receiver.outputTail());
  await rm(inTheWay, { recursive: true });
  await startReceiver();
});

test("a commit that waited for the receiver survives the loss of the primary's host", async () => {
  await stage.walmgr(archiveFile, ["backup"]);
  await stage.primary.query("alter system set synchronous_standby_names = 'walmgr'");
  await stage.primary.reload();
  await waitFor("the receiver to be synchronous", async () => {
    const rows = await stage.primary.query<{ s: string }>("select sync_state as s from pg_stat_replication");
    return rows.some((row) => row.s === "sync");
  });
  const [row] = await stage.primary.query<{ top: number }>("select max(id) as top from t");
  let killing: Promise<void> | undefined;
  const last = await commitUntilGone(row!.top + 1, (id) => {
    if (id - row!.top === 300) killing = stage.primary.killHard();
  });
  await killing;
  assert.ok(last >= row!.top + 300);
  await receiver.waitForOutput(/connection lost|could not connect/);
  receiver.signal("SIGINT");
  await receiver.exit;
  const names = await readdir(join(stage.archive, "logs.partial"));
  assert.ok(names.some((name) => name.endsWith(".partial")));

  const place = stage.place();
  const file = await stage.standbyFile(place);
  await stage.walmgr(file, ["restore", "--recover", "--no-start"]);
  await stage.startRestored(place);
  await stage.waitForPrimary(place);
  const [found] = await place.query<{ top: number; count: number }>(
    "select max(id) as top, count(*)::int from t",
  );
  assert.ok(found!.top >= last, `the last confirmed commit was ${last}, ${found!.top} was recovered`);
  assert.equal(found!.count, found!.top, "no gap");
  await place.stop("immediate");

  const standby = stage.place();
  const standbyFile = await stage.standbyFile(standby, { primary_conninfo: stage.primary.connstr() });
  await stage.walmgr(standbyFile, ["restore", "--no-start"]);
  await stage.startRestored(standby, { wal_retrieve_retry_interval: "500ms" });
  await stage.walmgr(standbyFile, ["boot"]);
  const [taken] = await standby.query<{ top: number }>("select max(id) as top from t");
  assert.equal(taken!.top, found!.top, "a standby that takes over has the begun segment, too");
});
