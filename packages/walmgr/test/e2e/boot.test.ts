import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { appendFile, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type Cluster, commandPath, runProgram, waitFor } from "@skytools/testbed";
import { Stage } from "../fixture/stage.js";

let stage: Stage;
let standby: Cluster;
let standbyFile: string;
/** the one before the last finished segment */
let lastButOne: string;

const quickRetry = { wal_retrieve_retry_interval: "100ms" };

/** A primary that is lost: its last rows are in a begun segment, which was saved. */
before(async () => {
  stage = await Stage.start();
  const primaryFile = await stage.primaryFile();
  await stage.primary.query("create table t (id int primary key)");
  await stage.walmgr(primaryFile, ["setup"]);
  await stage.walmgr(primaryFile, ["backup"]);
  await stage.primary.query("insert into t select generate_series(1, 500)");
  await stage.switchWal();
  await stage.primary.query("insert into t select generate_series(501, 750)");
  lastButOne = await stage.switchWal();
  await stage.primary.query("insert into t select generate_series(751, 1000)");
  await stage.switchWal();
  await stage.primary.query("insert into t select generate_series(1001, 1500)");
  await stage.primary.killHard();
  await stage.walmgr(primaryFile, ["sync"]);
  assert.equal((await readdir(join(stage.archive, "logs.partial"))).length, 1);
  standby = stage.place();
  standbyFile = await stage.standbyFile(standby, { slave_db: standby.connstr() });
});

after(async () => {
  await stage[Symbol.asyncDispose]();
});

async function rows(cluster: Cluster): Promise<number> {
  return (await cluster.query<{ count: number }>("select count(*)::int from t"))[0]!.count;
}

function hasStop(): boolean {
  return existsSync(join(stage.archive, "logs.complete/STOP"));
}

async function setRestoreCommand(command: string): Promise<void> {
  await standby.query(`alter system set restore_command = '${command.replaceAll("'", "''")}'`);
  await standby.reload();
}

/** Sets how far the standby stays behind, and waits until the server tells so. */
async function setDelay(delay: string): Promise<void> {
  await standby.query(`alter system set recovery_min_apply_delay = '${delay}'`);
  await standby.reload();
  await waitFor(`a delay of ${delay}`, async () => {
    const [row] = await standby.query<{ delay: string }>(
      "select current_setting('recovery_min_apply_delay') as delay",
    );
    return row?.delay === delay;
  });
}

test("a server that cannot be asked, and takes over without the begun segment, is told to be too early", async () => {
  const early = stage.place();
  const file = await stage.standbyFile(early, { slave_db: "host=/nonexistent" });
  await stage.walmgr(file, ["restore", "--no-start"]);
  const mayEnd = join(stage.root, "may-end");
  // It gets finished segments only, takes its time over the end of recovery, and must not write into the archive, which the
  // other standby is to follow.
  await appendFile(
    join(early.dataDirectory, "postgresql.auto.conf"),
    `restore_command = 'cp "${stage.archive}/logs.complete/%f" "%p"'\narchive_command = ''\n` +
      `recovery_end_command = 'until test -e "${mayEnd}"; do sleep 0.05; done'\n`,
  );
  await stage.startRestored(early, quickRetry);
  await waitFor("the finished segments", async () => (await rows(early)) === 1000);
  const killed = await stage.run(file, ["boot"], { SKYTOOLS_CRASH_POINT: "boot.signalled=kill" });
  assert.equal(killed.code, 137, killed.stderr);
  assert.match(killed.stderr, /how far the standby has replayed is only known after it took over/);
  assert.ok(hasStop());
  await waitFor("the server to take over", () => !existsSync(join(early.dataDirectory, "standby.signal")));
  const waiting = await stage.run(file, ["boot", "--wait=0.2"]);
  assert.equal(waiting.code, 1, waiting.stderr);
  assert.match(waiting.stderr, /has not within the time that --wait gives/);
  assert.ok(hasStop());
  await writeFile(mayEnd, "");
  // The server is on its way, or a primary already.
  const boot = await stage.run(file, ["boot"]);
  assert.equal(boot.code, 1, boot.stderr);
  assert.equal(hasStop(), false);
  assert.match(
    boot.stderr,
    /took over at .* \(timeline 2\) without the WAL .* of timeline 1 .*changes are missing/,
  );
  assert.equal(await rows(early), 1000);
  // What calls leave that die after the promotion: they were to go on without it.
  const stop = join(stage.archive, "logs.complete/STOP");
  const unchecked = join(early.dataDirectory, "walmgr_boot_unchecked");
  await writeFile(stop, "1");
  await stage.walmgr(file, ["boot", "--force"]);
  await writeFile(stop, "1");
  await writeFile(unchecked, "");
  await stage.walmgr(file, ["boot"]);
  assert.equal(existsSync(unchecked), false);
  assert.equal(hasStop(), false);
  await early.stop("immediate");
});

test("boot refuses to promote where a segment in the middle of the archive is missing, names it, and leaves the pause", async () => {
  const away = join(await stage.directory("away"), lastButOne);
  const stored = join(
    stage.archive,
    "logs.complete",
    (await stage.archivedNames()).find((name) => name.startsWith(lastButOne))!,
  );
  await stage.walmgr(standbyFile, ["restore", "--no-start"]);
  await rename(stored, away);
  await stage.startRestored(standby, quickRetry);
  await waitFor("the segments before the gap", async () => (await rows(standby)) === 500);
  const gap = new RegExp(`archive has more: ${lastButOne} is missing, and 0{7}1\\w{16} is there`);
  // It is meant to be behind.
  await setDelay("1h");
  const delayed = await stage.run(standbyFile, ["boot"]);
  assert.equal(delayed.code, 1, delayed.stderr);
  assert.match(delayed.stderr, gap);
  assert.equal(hasStop(), false);
  await setDelay("0");
  await stage.walmgr(standbyFile, ["pause"]);
  const boot = await stage.run(standbyFile, ["boot", "--wait=1"]);
  assert.equal(boot.code, 1, boot.stderr);
  assert.match(boot.stderr, gap);
  assert.equal(hasStop(), false);
  assert.ok(existsSync(join(standby.dataDirectory, "standby.signal")));
  assert.ok((await stage.archivedNames()).includes("PAUSE"));
  const [{ paused } = {}] = await standby.query<{ paused: boolean }>(
    "select pg_is_wal_replay_paused() as paused",
  );
  assert.equal(paused, true);
  await stage.walmgr(standbyFile, ["continue"]);
  await rename(away, stored);
});

test("boot refuses while the standby has not replayed what the archive has, and takes nothing back from it", async () => {
  await waitFor("the finished segments", async () => (await rows(standby)) === 1000);
  const [{ command } = { command: "" }] = await standby.query<{ command: string }>(
    "select current_setting('restore_command') as command",
  );
  // A call that runs already would still bring the begun segment.
  const asked = join(await stage.directory("asked"), "yes");
  await setRestoreCommand(`touch "${asked}"; false`);
  await waitFor("the server to use the other command", () => existsSync(asked));
  const boot = await stage.run(standbyFile, ["boot", "--wait=2"]);
  assert.equal(boot.code, 1, boot.stderr);
  assert.match(boot.stderr, /the standby does not replay beyond .*, although the archive has more/);
  assert.equal(hasStop(), false);
  assert.ok(existsSync(join(standby.dataDirectory, "standby.signal")));
  await setRestoreCommand(command);
});

test("what was fetched ahead is not replayed while the archive says PAUSE", async () => {
  const [{ command } = { command: "" }] = await standby.query<{ command: string }>(
    "select current_setting('restore_command') as command",
  );
  const name = "000000010000000000000FFF";
  const pause = join(stage.archive, "logs.complete/PAUSE");
  const ahead = join(standby.dataDirectory, "pg_wal/walmgr_ahead");
  const { uid, gid } = statSync(standby.dataDirectory);
  const fetch = () =>
    runProgram("/bin/sh", ["-c", command.replaceAll("%f", name).replaceAll("%p", "pg_wal/fetched")], {
      asServerAccount: true,
      cwd: standby.dataDirectory,
    });
  await mkdir(ahead, { recursive: true });
  await writeFile(join(ahead, name), "");
  spawnSync("chown", ["-R", `${uid}:${gid}`, ahead]);
  await writeFile(pause, "1");
  assert.equal((await fetch()).code, 1);
  assert.ok(existsSync(join(ahead, name)));
  await rm(pause);
  await stage.walmgr(standbyFile, ["pause"]);
  assert.equal(existsSync(ahead), false, "pause takes it away");
  await stage.walmgr(standbyFile, ["continue"]);
  await mkdir(ahead);
  await writeFile(join(ahead, name), "");
  spawnSync("chown", ["-R", `${uid}:${gid}`, ahead]);
  assert.equal((await fetch()).code, 0);
});

test("what root can read and the server's account cannot is no archive to take over from", {
  skip: process.getuid?.() !== 0 && "only root may boot a server of another account",
}, async () => {
  const directory = join(stage.archive, "logs.complete");
  const { uid, gid } = statSync(directory);
  const asRoot = (...args: string[]) => runProgram(commandPath("walmgr"), [standbyFile, "boot", ...args]);
  spawnSync("chown", ["-R", "0:0", directory]);
  try {
    const boot = await asRoot();
    assert.equal(boot.code, 1, boot.stderr);
    assert.match(
      boot.stderr,
      /the server's account \(uid \d+\) cannot fetch [0-9A-F]{24} from the archive: /,
    );
    assert.equal(hasStop(), false);
  } finally {
    spawnSync("chown", ["-R", `${uid}:${gid}`, directory]);
  }
});

test("a boot that dies anywhere is finished by the next one, and nothing that was saved is missing, delayed or not", async () => {
  await setDelay("1h");
  for (const point of ["boot.stop-set", "boot.promoted"]) {
    const killed = await stage.run(standbyFile, ["boot"], { SKYTOOLS_CRASH_POINT: `${point}=kill` });
    assert.equal(killed.code, 137, `${point}: ${killed.stderr}`);
    assert.ok(hasStop(), point);
  }
  const boot = await stage.walmgr(standbyFile, ["boot", "--json"]);
  assert.deepEqual(JSON.parse(boot.stdout), { timeline: 2 });
  assert.equal(await rows(standby), 1500);
  assert.equal(hasStop(), false);
  const again = await stage.run(standbyFile, ["boot"]);
  assert.match(again.stderr, /the server on .* is not a standby/);
});

test("boot takes over without an archive that is lost only when told to", async () => {
  const late = stage.place();
  const file = await stage.standbyFile(late, { slave_db: late.connstr() });
  await stage.walmgr(file, ["restore", "--no-start"]);
  await stage.startRestored(late, quickRetry);
  await waitFor("the finished segments", async () => (await rows(late)) >= 1000);
  const lost = `${stage.archive}-lost`;
  await rename(stage.archive, lost);
  const refused = await stage.run(file, ["boot", "--wait=5"]);
  assert.equal(refused.code, 2, refused.stderr);
  assert.match(refused.stderr, /archive .* cannot be /);
  assert.ok(existsSync(join(late.dataDirectory, "standby.signal")));
  const forced = await stage.walmgr(file, ["boot", "--force"]);
  assert.match(
    forced.stderr,
    /WARNING .*the server takes over with what it has, and its timeline may be taken/,
  );
  assert.ok((await rows(late)) >= 1000);
  await rename(lost, stage.archive);
});
