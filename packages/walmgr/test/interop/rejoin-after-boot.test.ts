import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { waitFor } from "@skytools/testbed";
import { checkpointTimeline, replayedStandby, slowCheckpointStage } from "../fixture/slow-checkpoint.js";

// The servers that come with npm have no pg_rewind.
const binDir = process.env.SKYTOOLS_PG_BINDIR ?? "/usr/lib/postgresql/15/bin";
const skip = existsSync(join(binDir, "pg_rewind")) ? false : `there is no ${binDir}/pg_rewind`;

test("rejoin does not rewind before the new primary has made its first checkpoint", { skip }, async () => {
  const { stage, primaryFile } = await slowCheckpointStage({
    binDir,
    // pg_rewind reads from the checkpoint before the promotion on.
    settings: { wal_keep_size: "100MB" },
  });
  await using _ = stage;
  const { cluster, file } = await replayedStandby(stage, "watcher");
  await stage.walmgr(file, ["boot"]);
  assert.equal(await checkpointTimeline(cluster), 1);
  await cluster.query("insert into t values (0)");
  const rejoin = await stage.walmgr(primaryFile, ["rejoin", cluster.connstr(), "--no-start"]);
  assert.match(rejoin.stderr, /has made no checkpoint on timeline 2 yet/);
  // pg_rewind brought the other server's configuration.
  await stage.startRestored(stage.primary);
  await waitFor("the row of the new timeline on the old primary", async () => {
    const [row] = await stage.primary.query<{ count: number }>("select count(*)::int from t where id = 0");
    return row?.count === 1;
  });
  await cluster.stop("immediate");
});
