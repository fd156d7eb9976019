import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { moduleDatabase, startCluster } from "@skytools/testbed";
import { type OriginalModule, originalDatabase } from "./fixture/original-modules.js";
import { original, skipWithout } from "./fixture/originals.js";
import { missingFrom, readSurface } from "./fixture/surface.js";

const modules: readonly OriginalModule[] = ["pgq", "pgq_node", "londiste"];

/** Where ours differs on purpose. */
const sanctioned = [
  // The time of the last activity is in the key so that positions stay fast while an old transaction is open.
  "tableKeys: subscription",
  // The original forgot to take it from public; the group of its siblings has it.
  "functionGrants: local_change_handler(text, text, text[], text)",
];

describe("the surface of our modules", {
  skip: skipWithout("postgresql-15-pgq3", "postgresql-15-pgq-node", "postgresql-15-londiste-sql"),
}, () => {
  it("has everything that the originals have, with the same names, types and grants", async () => {
    await using cluster = await startCluster({ binDir: original.binDir });
    await originalDatabase(cluster, "theirs", modules);
    await moduleDatabase(cluster, modules, "ours");
    for (const schema of modules) {
      const theirs = await readSurface(cluster, "theirs", schema);
      const ours = await readSurface(cluster, "ours", schema);
      const differences = Object.entries(missingFrom(ours, theirs));
      const wrong = differences.filter(([part]) => !sanctioned.includes(part));
      assert.deepEqual(Object.fromEntries(wrong), {}, schema);
    }
  });
});
