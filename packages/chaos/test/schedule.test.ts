import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { runProgram } from "@skytools/testbed";
import { CascadeModel, nodeKeys } from "#src/cascade-model.js";
import { fillDisk } from "#src/impediment/fill-disk.js";
import { schedule } from "#src/schedule.js";
import { tracks } from "#src/tracks.js";

const main = fileURLToPath(new URL("../dist/main.js", import.meta.url));

function begin(
  seed: number,
  track: (typeof tracks)[number],
  count: number,
  without = [] as [] | [typeof fillDisk],
) {
  const steps = schedule(seed, track, new CascadeModel(), without);
  return Array.from({ length: count }, () => {
    const { name, detail, pauseMs } = steps.next().value;
    return { name, detail, pauseMs };
  });
}

test("a seed gives the same schedule again, another one gives another", () => {
  for (const track of tracks) {
    assert.deepEqual(begin(7, track, 50), begin(7, track, 50));
    assert.notDeepEqual(begin(7, track, 50), begin(8, track, 50));
  }
});

test("what a machine cannot do leaves all other turns as they are", () => {
  const track = tracks.find(({ name }) => name === "impediment")!;
  const all = begin(7, track, 100).filter(({ name }) => name !== fillDisk.name);
  assert.deepEqual(begin(7, track, all.length, [fillDisk]), all);
});

test("whatever operators do, the set is a tree with one root that has a queue", () => {
  const operations = tracks.find(({ name }) => name === "operation")!;
  const names = new Set<string>();
  for (let seed = 1; seed <= 20; seed += 1) {
    const model = new CascadeModel();
    const steps = schedule(seed, operations, model);
    for (let nr = 0; nr < 100; nr += 1) {
      names.add(steps.next().value.name);
      assert.equal(nodeKeys.filter((key) => model.providerOf(key) === undefined).length, 1);
      assert.equal(model.subscribers.length, nodeKeys.length - 1, "everybody is below the root");
      assert.ok(
        nodeKeys.every((key) => !["n4", "n5"].includes(model.providerOf(key) ?? "")),
        "a leaf provides",
      );
    }
  }
  assert.equal(names.size, operations.disturbances.length, "every kind comes");
});

test("--dry-run prints the schedule, and a wrong option is told with the usage", async () => {
  const shown = await runProgram(process.execPath, [main, "--seed", "3", "--dry-run"]);
  assert.equal(shown.code, 0, shown.stderr);
  for (const { name } of tracks) assert.match(shown.stdout, new RegExp(`^${name} 1: .+`, "m"));
  const wrong = await runProgram(process.execPath, [main, "--minutes", "many"]);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /--minutes must be a positive number: many\nusage: /);
});
