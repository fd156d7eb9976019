import assert from "node:assert/strict";
import { lstat, mkdir, readdir, readFile, readlink, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { Config, createJob, frameworkConfig } from "@skytools/skytools";
import { memoryLog, temporaryDirectory } from "@skytools/testbed";
import type { BackupSet } from "#src/backup/set-info.js";
import { LocalSetStore } from "#src/backup/set-store.js";
import { walmgr } from "#src/cli.js";
import { freeName, type RestorePlan } from "#src/restore/restore-plan.js";
import { restoreSet } from "#src/restore/restore-set.js";

function restore(root: string, plan: RestorePlan, deletesOld = false): Promise<void> {
  const config = Config.parse("[walmgr]\n", "walmgr", {
    file: "walmgr.ini",
    groups: [...walmgr.config, frameworkConfig],
  });
  return restoreSet(createJob(walmgr, { config, log: memoryLog() }), plan, {
    serverSettings: new Map(),
    signalFile: "standby.signal",
    walDirectory: "",
    deletesOld,
    sets: new LocalSetStore(join(root, "sets/data.master")),
  });
}

/** A set as the original makes one, which needs no manifest. */
async function storedSet(root: string, inTablespace: string): Promise<BackupSet> {
  const path = join(root, "sets/data.master");
  await mkdir(join(path, "base"), { recursive: true });
  await writeFile(join(path, "PG_VERSION"), "18");
  const info = { id: "x", serverVersion: 0, codec: "none", tablespaces: [] as unknown[] };
  if (inTablespace !== "") {
    await mkdir(join(path, "tmpspc/16384", dirname(inTablespace)), { recursive: true });
    await writeFile(join(path, "tmpspc/16384", inTablespace), "content");
    info.tablespaces.push({ oid: "16384", location: join(root, "space") });
  }
  return { name: "data.master", path, info: info as unknown as BackupSet["info"] };
}

test("a tablespace directory that was filled after the plan was made stays as it is", async () => {
  await using root = await temporaryDirectory("restore");
  const [data, free, space] = ["data", "free", "space"].map((name) => join(root.path, name)) as [
    string,
    string,
    string,
  ];
  for (const directory of [data, free, space]) await mkdir(directory);
  await writeFile(join(space, "mine"), "");
  const tablespaces = new Map([
    ["16384", free],
    ["16385", space],
  ]);
  const restored = restore(root.path, { chain: [], dataDirectory: data, setAside: undefined, tablespaces });
  await assert.rejects(restored, /tablespace directory .*space is not empty/);
  assert.deepEqual(await readdir(space), ["mine"]);
  assert.deepEqual(await readdir(free), []);
  assert.deepEqual((await readdir(root.path)).sort(), ["data", "free", "space"]);
});

test("links where a restore puts its files are not followed: what they lead to is neither written nor removed", async () => {
  await using root = await temporaryDirectory("restore");
  const at = (name: string) => join(root.path, name);
  await mkdir(at("victim"));
  await writeFile(at("victim/file"), "as it was");
  const set = await storedSet(root.path, "PG_18_202506291/5/1");
  for (const name of [".data.restoring", ".data.restoring.chain", "data.0"])
    await symlink(at("victim"), at(name));
  await symlink(at("victim/file"), at(".data.restoring.mark"));
  await symlink(at("victim"), at("data"));
  const plan = { chain: [set], dataDirectory: at("data"), tablespaces: new Map([["16384", at("space")]]) };
  assert.equal(freeName(at("data")), at("data.1"));
  await restore(root.path, { ...plan, setAside: at("data.1") }, true);
  assert.ok((await lstat(at("data"))).isDirectory());
  assert.equal(await readFile(at("space/PG_18_202506291/5/1"), "utf8"), "content");
  assert.deepEqual(await readdir(at("space")), ["PG_18_202506291"]);
  assert.deepEqual(await readdir(at("victim")), ["file"]);
  assert.equal(await readFile(at("victim/file"), "utf8"), "as it was");
  assert.equal(await readlink(at("data.0")), at("victim"));
});

test("a link that leads nowhere counts as something that is there, and goes aside", async () => {
  await using root = await temporaryDirectory("restore");
  const data = join(root.path, "data");
  const set = await storedSet(root.path, "");
  for (const name of [data, `${data}.0`]) await symlink(join(root.path, "nowhere"), name);
  const setAside = freeName(data);
  assert.equal(setAside, `${data}.1`);
  await restore(root.path, { chain: [set], dataDirectory: data, setAside, tablespaces: new Map() });
  assert.equal(await readFile(join(data, "PG_VERSION"), "utf8"), "18");
  assert.equal(await readlink(`${data}.1`), join(root.path, "nowhere"));
  assert.deepEqual(await readdir(root.path), ["data", "data.0", "data.1", "sets"]);
});

test("a tablespace's place gets files of a tablespace only, whatever the set has for it", async () => {
  await using root = await temporaryDirectory("restore");
  const set = await storedSet(root.path, ".ssh/authorized_keys");
  const plan = { dataDirectory: join(root.path, "data"), setAside: undefined };
  const restored = restore(root.path, {
    ...plan,
    chain: [set],
    tablespaces: new Map([["16384", join(root.path, "home")]]),
  });
  await assert.rejects(
    restored,
    /backup set data\.master has \.ssh in a tablespace, where it does not belong/,
  );
  assert.deepEqual(await readdir(join(root.path, "home")), []);
});
