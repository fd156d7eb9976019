import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Stage } from "../fixture/stage.js";

/** More files than any of these commands gives their names. */
const mostFiles = 2000;
/** One after the other so far; then the distance doubles, as each attempt leaves WAL that the last one has to expire. */
const eachOfFirst = 24;

let stage: Stage;
let file: string;

before(async () => {
  stage = await Stage.start();
  file = await stage.primaryFile({ keep_backups: "2" });
  await stage.primary.query("create table t as select i as id from generate_series(1, 1000) i");
  await stage.walmgr(file, ["setup"]);
  await stage.walmgr(file, ["backup"]);
});

after(async () => {
  await stage[Symbol.asyncDispose]();
});

/** Runs a command, each time killed after it has given more files their names, until it comes to its end.
 * @returns how often it was killed */
async function killAfterEachFile(of: string, args: readonly string[]): Promise<number> {
  let kills = 0;
  for (let hit = 1; hit <= mostFiles; hit += hit < eachOfFirst ? 1 : hit) {
    const { code, stderr } = await stage.run(of, args, { SKYTOOLS_CRASH_POINT: `file.named=kill:${hit}` });
    if (code === 0) return kills;
    assert.equal(code, 137, `${args.join(" ")}, file ${hit}: ${stderr}`);
    kills += 1;
  }
  throw new Error(`${args.join(" ")} names more than ${mostFiles} files`);
}

async function restored(): Promise<number> {
  const copy = stage.place();
  await stage.walmgr(file, ["restore", "data.master", copy.dataDirectory]);
  await stage.startRestored(copy);
  await stage.waitForPrimary(copy);
  const [row] = await copy.query<{ count: number }>("select count(*)::int from t");
  await copy.stop("immediate");
  return row!.count;
}

test("a backup that dies after any file has got its name leaves nothing half done that looks whole", async () => {
  assert.ok((await killAfterEachFile(file, ["backup"])) >= 3);
  const verify = await stage.run(file, ["verify", "--json"]);
  assert.equal(verify.code, 0, verify.stdout + verify.stderr);
  assert.equal(await restored(), 1000);
});

test("a restore that dies after any file has got its name is made good by the next one", async () => {
  const standby = stage.place();
  const standbyFile = await stage.standbyFile(standby);
  assert.ok((await killAfterEachFile(standbyFile, ["restore", "--no-start"])) >= 1);
  const between = await stage.run(standbyFile, ["restore", "--no-start"], {
    SKYTOOLS_CRASH_POINT: "restore.old-set-aside=kill",
  });
  assert.equal(between.code, 137, between.stderr);
  await stage.walmgr(standbyFile, ["restore", "--no-start"]);
  await stage.startRestored(standby);
  await standby.stop("immediate");
});
