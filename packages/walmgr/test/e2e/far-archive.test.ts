import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { waitFor } from "@skytools/testbed";
import { fakeSsh, walmgrPath } from "../fixture/fake-ssh.js";
import { Stage } from "../fixture/stage.js";

// Three hosts: the primary, the archive's, reached by ssh from both others, and the standby's.
let stage: Stage;
let env: { PATH: string };
let archiveFile: string;
let primaryFile: string;
let far: Record<string, string>;

before(async () => {
  stage = await Stage.start();
  env = await fakeSsh(stage.root);
  archiveFile = await stage.file({ walmgr_data: stage.archive, backup_compression: "gzip" });
  far = {
    walmgr_data: `far:${stage.archive}`,
    slave_config: archiveFile,
    remote_walmgr_path: walmgrPath(),
  };
  primaryFile = await stage.primaryFile({ ...far, slave: "far" });
  await stage.primary.query("create table t as select generate_series(1, 1000) as id");
  const space = await stage.directory("space");
  await stage.primary.query(`create tablespace s location '${space}'`);
  await stage.primary.query("create table in_space tablespace s as select 7 as n");
  // The server's own calls of walmgr find ssh like ours.
  process.env.PATH = env.PATH;
  await stage.primary.stop();
  await stage.primary.start();
  await stage.walmgr(primaryFile, ["setup"]);
  await stage.walmgr(primaryFile, ["backup"]);
});

after(async () => {
  await stage[Symbol.asyncDispose]();
});

test("a standby is restored from another host's archive, follows it, and takes over", async () => {
  const standby = stage.place();
  const standbyFile = await stage.standbyFile(standby, far);
  const moved = join(stage.root, "moved");
  const move = `--tablespace=${join(stage.root, "space")}=${moved}`;
  const steps = await stage.walmgr(standbyFile, ["restore", "--dry-run", move]);
  assert.match(steps.stdout, /unpack data\.master/);
  assert.equal(existsSync(standby.dataDirectory), false);
  const failing = await stage.run(standbyFile, ["restore", "--no-start", move], { FAKE_SSH: "fail" });
  assert.equal(failing.code, 2, failing.stderr);
  const cut = await stage.run(standbyFile, ["restore", "--no-start", move], { FAKE_SSH: "cut-answers" });
  assert.equal(cut.code, 2, cut.stderr);
  assert.equal(existsSync(standby.dataDirectory), false, "nothing half restored");
  await stage.walmgr(standbyFile, ["restore", "--no-start", move]);
  for (let from = 1001; from <= 2001; from += 1000) {
    await stage.primary.query(`insert into t select generate_series(${from}, ${from} + 999)`);
    await stage.switchWal();
  }
  await stage.startRestored(standby);
  const count = async () =>
    (await standby.query<{ count: number }>("select count(*)::int from t").catch(() => []))[0]?.count;
  await waitFor("all rows", async () => (await count()) === 3000);
  await stage.walmgr(standbyFile, ["pause"]);
  assert.ok(existsSync(join(stage.archive, "logs.complete/PAUSE")));
  await stage.walmgr(standbyFile, ["continue"]);
  await stage.walmgr(standbyFile, ["boot"]);
  assert.deepEqual(await standby.query("select n from in_space"), [{ n: 7 }]);
  await standby.query("select pg_switch_wal()");
  await waitFor("the new timeline in the archive", async () =>
    (await stage.archivedNames()).includes("00000002.history"),
  );
  assert.deepEqual(
    (await readdir(join(standby.dataDirectory, "pg_wal"))).filter((name) => name.startsWith("walmgr")),
    [],
    "what was fetched ahead is gone",
  );
});

test("what works in the archive's directories says where that is", async () => {
  const standbyFile = await stage.standbyFile(stage.place(), far);
  for (const command of ["syncdaemon", "expire", "xrotate"]) {
    const refused = await stage.run(standbyFile, [command]);
    assert.equal(refused.code, 1, refused.stderr);
    assert.match(refused.stderr, new RegExp(`the archive is on far: ${command} works there`));
  }
});
