import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type Cluster, waitFor } from "@skytools/testbed";
import { Stage } from "../fixture/stage.js";

let stage: Stage;
let primaryFile: string;

before(async () => {
  stage = await Stage.start();
  primaryFile = await stage.primaryFile();
  await stage.walmgr(primaryFile, ["setup"]);
});

after(async () => {
  await stage[Symbol.asyncDispose]();
});

test("a disk that is full during a backup leaves the older set, and nothing of the new one", async (context) => {
  const disk = await stage.directory("small disk");
  const { uid, gid } = statSync(disk);
  const mount = (...options: string[]) =>
    spawnSync("mount", ["-o", options.join(","), "-t", "tmpfs", "tmpfs", disk], { stdio: "ignore" })
      .status === 0;
  const isMounted = process.getuid?.() === 0 && mount("size=60m", `uid=${uid}`, `gid=${gid}`);
  if (!isMounted) {
    context.skip("a small file system can be mounted here only by root");
    return;
  }
  try {
    for (const [compression, size] of [
      ["none", "60m"],
      ["gzip", "20m"],
    ] as const) {
      assert.ok(mount("remount", `size=${size}`));
      const file = await stage.primaryFile({
        full_backup: join(disk, "data.master"),
        backup_compression: compression,
      });
      await stage.walmgr(file, ["backup"]);
      await stage.primary.query(
        `create table filler_${compression} as select sha256(i::text::bytea) || sha256((-i)::text::bytea) as v
           from generate_series(1, 450000) i`,
      );
      const full = await stage.run(file, ["backup"]);
      assert.equal(full.code, 2, full.stderr);
      assert.match(full.stderr, /small disk is full \(ENOSPC\)/);
      assert.doesNotMatch(full.stderr, /Warning/);
      assert.deepEqual(await readdir(disk), ["data.master"]);
      await stage.primary.query(`drop table filler_${compression}`);
      await stage.primary.query("checkpoint");
      const verify = await stage.run(file, ["verify"]);
      assert.equal(verify.code, 0, verify.stdout + verify.stderr);
      spawnSync("rm", ["-r", join(disk, "data.master")]);
    }
  } finally {
    spawnSync("umount", [disk]);
  }
});

async function failedCount(cluster: Cluster): Promise<number> {
  const [row] = await cluster.query<{ failed: number }>(
    "select failed_count::int as failed from pg_stat_archiver",
  );
  return row!.failed;
}

test("of two live primaries with one archive, the second is refused and told why; the archive stays the first one's", async () => {
  await stage.primary.stop();
  const second = stage.place();
  spawnSync("cp", ["-a", stage.primary.dataDirectory, second.dataDirectory]);
  await stage.primary.start();
  await stage.primary.query("create table mine as select 1 as n");
  const segment = await stage.switchWal();
  const content = await readFile(join(stage.archive, "logs.complete", segment));
  await stage.startRestored(second);
  await second.query("create table other as select generate_series(1, 100) as n");
  await second.query("select pg_switch_wal()");
  await waitFor(
    "the refusal of the copy with the original's file",
    async () => (await failedCount(second)) > 0,
  );
  assert.match(readFileSync(second.logFile, "utf8"), /the server runs in .*, .* is for the one in /);
  const secondFile = await stage.primaryFile({
    master_db: second.connstr(),
    master_data: second.dataDirectory,
  });
  await stage.walmgr(secondFile, ["setup", "--no-proof"]);
  await second.query("select pg_switch_wal()");
  await waitFor("the refusal of other content", () =>
    new RegExp(`holds other content under the name ${segment}, which stays\\s+.*two primaries`).test(
      readFileSync(second.logFile, "utf8"),
    ),
  );
  const check = await stage.run(secondFile, ["check"]);
  assert.equal(check.code, 2, check.stdout);
  assert.match(check.stdout, /CRITICAL archiver: archive_command fails for /);
  await second.stop("immediate");
  assert.deepEqual(await readFile(join(stage.archive, "logs.complete", segment)), content);
  await stage.switchWal();
  assert.equal(await failedCount(stage.primary), 0);
  assert.equal((await stage.run(primaryFile, ["verify"])).code, 0);
});
