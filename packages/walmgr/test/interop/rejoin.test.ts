import assert from "node:assert/strict";
import { existsSync, statSync } from "node:fs";
import { readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type Cluster, waitFor } from "@skytools/testbed";
import { Stage } from "../fixture/stage.js";

// The servers that come with npm have no pg_rewind; what they do with the guard is in e2e/start-guard.test.ts.
const binDir = process.env.SKYTOOLS_PG_BINDIR ?? "/usr/lib/postgresql/15/bin";
const skip = existsSync(join(binDir, "pg_rewind")) ? false : `there is no ${binDir}/pg_rewind`;

let stage: Stage;
let primaryFile: string;
let standby: Cluster;
/** makes the end of the command with which the killed primary archives */
let mayEnd: string;

before(async () => {
  if (skip !== false) return;
  stage = await Stage.start({ binDir });
  primaryFile = await stage.primaryFile();
  await stage.primary.query("create table t (id int primary key)");
  await stage.walmgr(primaryFile, ["setup"]);
  standby = stage.place();
  const standbyFile = await stage.standbyFile(standby, {
    primary_conninfo: stage.primary.connstr(),
    slave_db: standby.connstr(),
  });
  await stage.walmgr(standbyFile, ["createslave", "--no-start"]);
  await stage.startRestored(standby);
  await stage.primary.query("insert into t select generate_series(1, 10)");
  await waitFor("the rows", async () => (await idsOn(standby)).length === 10);
  await stage.primary.killHard();
  await stage.walmgr(standbyFile, ["boot"]);
  await standby.query("insert into t values (100)");
  // What only the old primary has, as after a split; it is not shut down.
  await stage.primary.start();
  await stage.primary.query("insert into t values (999)");
  const [begun, end] = ["archiving", "may-end"].map((name) => join(stage.root, name)) as [string, string];
  mayEnd = end;
  await stage.primary.query(
    `alter system set archive_command = 'touch "${begun}"; until test -e "${mayEnd}"; do sleep 0.05; done; false'`,
  );
  await stage.primary.reload();
  await stage.primary.query("select pg_switch_wal()");
  await waitFor("an archive command", () => existsSync(begun));
  await stage.primary.killHard();
});

after(async () => {
  if (mayEnd !== undefined) await writeFile(mayEnd, "");
  await stage?.[Symbol.asyncDispose]();
});

async function idsOn(cluster: Cluster): Promise<number[]> {
  const rows = await cluster.query<{ id: number }>("select id from t order by id");
  return rows.map(({ id }) => id);
}

const rejoin = (env: Record<string, string> = {}) =>
  stage.run(primaryFile, ["rejoin", standby.connstr(), "--no-start"], env);

test("a rejoin waits for processes that a killed server has left", { skip }, async () => {
  const killed = stage.start(primaryFile, ["rejoin", standby.connstr(), "--no-start"], {
    SKYTOOLS_CRASH_POINT: "rejoin.guarded=kill",
  });
  await killed.waitForOutput(/Processes of the server that was on .* are still there/);
  await writeFile(mayEnd, "");
  assert.equal((await killed.exit).signal, "SIGKILL", killed.outputTail());
});

test("a rejoin does not begin while the pg_rewind of a killed one is still at work on the directory", {
  skip,
}, async () => {
  // pg_rewind stops itself before it does anything: the killed call leaves it.
  const programs = await stage.directory("programs");
  for (const name of await readdir(binDir)) await symlink(join(binDir, name), join(programs, name));
  await rm(join(programs, "pg_rewind"));
  const script = `#!/bin/sh\necho $$ > ${join(programs, "pid")}\nkill -STOP $$\nexec ${join(binDir, "pg_rewind")} "$@"\n`;
  await writeFile(join(programs, "pg_rewind"), script, { mode: 0o755 });
  const file = await stage.primaryFile({ master_bin: programs });
  const killed = stage.start(file, ["rejoin", standby.connstr(), "--no-start"]);
  const pid = await waitFor("pg_rewind", async () => {
    const number = Number(await readFile(join(programs, "pid"), "utf8").catch(() => ""));
    if (number === 0) return undefined;
    return (await readFile(`/proc/${number}/stat`, "utf8")).includes(") T ") ? number : undefined;
  });
  try {
    killed.signal("SIGKILL");
    await killed.exit;
    for (const words of [[], ["--clone"]]) {
      const again = await stage.run(primaryFile, ["rejoin", standby.connstr(), "--no-start", ...words]);
      assert.equal(again.code, 1, again.stderr);
      assert.match(
        again.stderr,
        new RegExp(`pg_rewind of an earlier call \\(pid ${pid}\\) is still at work on `),
      );
    }
  } finally {
    process.kill(pid, "SIGKILL");
  }
});

test("a rejoin that dies at any moment leaves no server that starts as a primary; run again, it ends well", {
  skip,
}, async () => {
  for (const point of ["rejoin.guarded", "rejoin.rewound", "rejoin.signal-written"]) {
    const killed = await rejoin({ SKYTOOLS_CRASH_POINT: `${point}=kill` });
    assert.equal(killed.code, 137, `${point}: ${killed.stderr}`);
    await assert.rejects(
      stage.primary.start(),
      /data directory .* has invalid permissions/,
      `a server starts after ${point}`,
    );
  }
  const killed = await rejoin({ SKYTOOLS_CRASH_POINT: "rejoin.start-allowed=kill" });
  assert.equal(killed.code, 137, killed.stderr);
  assert.ok(existsSync(join(stage.primary.dataDirectory, "standby.signal")));

  const last = await rejoin();
  assert.equal(last.code, 0, last.stderr);
  assert.equal(statSync(stage.primary.dataDirectory).mode & 0o777, 0o700);
  await stage.startRestored(stage.primary);
  await standby.query("insert into t values (101)");
  const ids = [...Array.from({ length: 10 }, (_, at) => at + 1), 100, 101];
  await waitFor("the new primary's rows", async () => (await idsOn(stage.primary)).length >= ids.length);
  assert.deepEqual(await idsOn(stage.primary), ids);
  const [state] = await stage.primary.query<{ standby: boolean }>("select pg_is_in_recovery() as standby");
  assert.equal(state?.standby, true);
});
