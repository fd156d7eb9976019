import assert from "node:assert/strict";
import { test } from "node:test";
import { readWalHeader } from "#src/wal/wal-header.js";
import { walFile } from "../fixture/wal-file.ts";

const name = "000000010000000000000003";

test("sizes of segments and pages that no server has are no header: nothing is counted in them", () => {
  assert.equal(readWalHeader(walFile(name))?.blockSize, 8192);
  for (const [at, sizes] of [
    [36, [0, 1, 25, 512, 8191, 1 << 17, 0xffffffff]],
    [32, [0, 1, 8192, (1 << 20) + 1, 0x80000000]],
  ] as const)
    for (const size of sizes) {
      const bytes = walFile(name);
      bytes.writeUInt32LE(size, at);
      assert.equal(readWalHeader(bytes), undefined, `${size} at ${at}`);
    }
});
