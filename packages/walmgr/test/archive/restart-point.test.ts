import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { PrimaryDirectory } from "../fixture/primary-directory.js";
import { walFile } from "../fixture/wal-file.js";

const name = (number: number) => `00000001000000000000000${number}`;

test("a delivery that dies at any moment leaves a note from which segment on the standby needs WAL", async () => {
  await using primary = await PrimaryDirectory.create();
  await primary.addWal(name(5), walFile(name(5)));
  assert.equal((await primary.xarchive(name(5))).code, 0);
  const deliver = (restart: string, env = {}) =>
    primary.walmgr(["xrestore", name(5), "pg_wal/RECOVERYXLOG", restart], env);
  const noted = () => readFile(primary.stored("RESTARTPOINT"), "utf8");
  for (const point of ["file.changed", "file.written", "file.named"]) {
    assert.equal((await deliver(name(1))).code, 0);
    assert.equal(await noted(), name(1));
    let kills = 0;
    for (;;) {
      const { code, stderr } = await deliver(name(2), { SKYTOOLS_CRASH_POINT: `${point}=kill:${kills + 1}` });
      const content = await noted();
      assert.ok([name(1), name(2)].includes(content), `"${content}" after ${point} ${kills + 1}`);
      if (code === 0) break;
      assert.equal(code, 137, stderr);
      kills += 1;
    }
    assert.ok(kills >= 2, `${kills} kills at ${point}`);
    assert.equal(await noted(), name(2));
  }
});
