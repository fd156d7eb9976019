import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "@skytools/testbed";
import { isLeftOver, markRestoring, refuseOccupied } from "#src/restore/left-over.js";

test("a directory in which an interrupted restore had begun its mark, and nothing else, is in nobody's way", async () => {
  for (const begun of ["", "12"]) {
    await using root = await temporaryDirectory("mark");
    const [fresh, space] = [join(root.path, "fresh"), join(root.path, "space")];
    for (const path of [fresh, space]) await mkdir(path);
    markRestoring(fresh, []);
    await writeFile(`${fresh}.mark`, "1234 then");
    await writeFile(join(space, ".walmgr_restoring"), begun);
    assert.ok(isLeftOver(fresh, space));
    refuseOccupied(fresh, space, "hint");
    await writeFile(join(space, "file"), "");
    assert.ok(!isLeftOver(fresh, space));
    assert.throws(() => refuseOccupied(fresh, space, "hint"), /is not empty/);
  }
});
