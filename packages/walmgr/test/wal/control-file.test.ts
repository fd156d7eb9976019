import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { startCluster, temporaryDirectory } from "@skytools/testbed";
import { readControlFile } from "#src/wal/control-file.js";
import { WalError } from "#src/wal/wal-error.js";

test("a control file is read as the server says, and refused when any of its bytes is another one", async () => {
  await using cluster = await startCluster();
  const [row] = await cluster.query(
    "select system_identifier::text as id, (pg_control_checkpoint()).timeline_id as timeline from pg_control_system()",
  );
  await cluster.stop();
  const path = join(cluster.dataDirectory, "global", "pg_control");
  const bytes = readFileSync(path);
  const { systemIdentifier, timeline, isShutDown } = readControlFile(cluster.dataDirectory);
  assert.deepEqual({ id: systemIdentifier, timeline, isShutDown }, { ...row, isShutDown: true });

  await using directory = await temporaryDirectory("control");
  mkdirSync(join(directory.path, "global"));
  for (const at of [0, 8, 16, 40, 48, 100, 199]) {
    const damaged = Buffer.from(bytes);
    damaged[at] = damaged[at]! ^ 1;
    writeFileSync(join(directory.path, "global", "pg_control"), damaged);
    assert.throws(() => readControlFile(directory.path), WalError, String(at));
  }
  writeFileSync(join(directory.path, "global", "pg_control"), bytes.subarray(0, 100));
  assert.throws(() => readControlFile(directory.path), WalError);
});
