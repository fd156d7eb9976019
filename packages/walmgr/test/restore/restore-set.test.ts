import assert from "node:assert/strict";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Config, createJob, frameworkConfig, type Log } from "@skytools/skytools";
import { temporaryDirectory } from "@skytools/testbed";
import { LocalSetStore } from "#src/backup/set-store.js";
import { walmgr } from "#src/cli.js";
import { restoreSet } from "#src/restore/restore-set.js";

const silent: Log = {
  level: "info",
  trace: () => {},
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  fatal: () => {},
  child: () => silent,
};

test("a tablespace directory that was filled after the plan was made stays as it is", async () => {
  await using root = await temporaryDirectory("restore");
  const [data, free, space] = ["data", "free", "space"].map((name) => join(root.path, name)) as [
    string,
    string,
    string,
  ];
  for (const directory of [data, free, space]) await mkdir(directory);
  await writeFile(join(space, "mine"), "");
  const config = Config.parse("[walmgr]\n", "walmgr", {
    file: "walmgr.ini",
    groups: [...walmgr.config, frameworkConfig],
  });
  const tablespaces = new Map([
    ["16384", free],
    ["16385", space],
  ]);
  const restored = restoreSet(
    createJob(walmgr, { config, log: silent }),
    { chain: [], dataDirectory: data, setAside: undefined, tablespaces },
    {
      serverSettings: new Map(),
      signalFile: "standby.signal",
      walDirectory: "",
      deletesOld: false,
      sets: new LocalSetStore(join(root.path, "sets")),
    },
  );
  await assert.rejects(restored, /tablespace directory .*space is not empty/);
  assert.deepEqual(await readdir(space), ["mine"]);
  assert.deepEqual(await readdir(free), []);
  assert.deepEqual((await readdir(root.path)).sort(), ["data", "free", "space"]);
});
