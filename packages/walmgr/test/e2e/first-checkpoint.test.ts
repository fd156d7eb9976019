import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { checkpointTimeline, replayedStandby, slowCheckpointStage } from "../fixture/slow-checkpoint.js";
import type { Stage } from "../fixture/stage.js";

let stage: Stage;

before(async () => {
  ({ stage } = await slowCheckpointStage());
});

after(async () => {
  await stage[Symbol.asyncDispose]();
});

test("boot ends when the server takes writes, while its first checkpoint goes on for minutes", async () => {
  const { cluster, file } = await replayedStandby(stage, "watcher");
  const boot = await stage.run(file, ["boot", "--wait=30", "--json"]);
  assert.equal(boot.code, 0, boot.stderr);
  assert.deepEqual(JSON.parse(boot.stdout), { timeline: 2 });
  assert.match(
    boot.stderr,
    /makes its first checkpoint at its own pace: .*(permission denied|must be superuser)/,
  );
  assert.equal(await checkpointTimeline(cluster), 1);
  await cluster.query("insert into t values (0)");
  await cluster.stop("immediate");
});

test("boot refuses a time to wait that is no number, and hastens the first checkpoint where its role may", async () => {
  const { cluster, file } = await replayedStandby(stage, "postgres");
  for (const wait of ["soon", "-1", ""]) {
    const refused = await stage.run(file, ["boot", `--wait=${wait}`]);
    assert.equal(refused.code, 2, refused.stderr);
    assert.match(refused.stderr, /--wait: ".*" is not a number of seconds/);
  }
  // The server goes by standby.signal where both are, and leaves the other one.
  const leftover = join(cluster.dataDirectory, "recovery.signal");
  writeFileSync(leftover, "");
  const { stderr } = await stage.walmgr(file, ["boot", "--wait=30"]);
  assert.match(stderr, /recovery\.signal is removed/);
  assert.equal(existsSync(leftover), false);
  assert.equal(await checkpointTimeline(cluster), 2);
  await cluster.stop("immediate");
});
