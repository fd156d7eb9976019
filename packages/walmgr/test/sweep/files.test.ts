import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Cluster } from "@skytools/testbed";
import { Stage } from "../fixture/stage.js";

/** More files than any of these commands names or changes. */
const mostFiles = 5000;
/** One after the other so far; then the distance doubles, as each attempt leaves WAL that the last one has to expire, and there
 * are many files of one kind. */
const eachOfFirst = 24;

let stage: Stage;
let file: string;
let space: string;

before(async () => {
  stage = await Stage.start();
  file = await stage.primaryFile({ keep_backups: "2" });
  space = await stage.directory("space");
  await stage.primary.query(`create tablespace s location '${space}'`);
  await stage.primary.query("create table t as select i as id from generate_series(1, 1000) i");
  await stage.primary.query("create table far tablespace s as select 7 as n");
});

after(async () => {
  await stage[Symbol.asyncDispose]();
});

/** Runs a command, each time killed after it has done the same to one more file, until it comes to its end or to what is as good.
 * @returns how often it was killed */
async function killAfterEach(
  point: string,
  of: string,
  args: readonly string[],
  isDone: () => boolean = () => false,
): Promise<number> {
  let kills = 0;
  for (let hit = 1; hit <= mostFiles; hit += hit < eachOfFirst ? 1 : hit) {
    const { code, stderr } = await stage.run(of, args, { SKYTOOLS_CRASH_POINT: `${point}=kill:${hit}` });
    if (code === 0) return kills;
    assert.equal(code, 137, `${args.join(" ")}, ${point} ${hit}: ${stderr}`);
    kills += 1;
    if (isDone()) return kills;
  }
  throw new Error(`${args.join(" ")} comes to ${point} more than ${mostFiles} times`);
}

async function contentOf(copy: Cluster): Promise<unknown> {
  return copy.query("select count(*)::int, (select n from far) as far from t");
}

async function restored(): Promise<unknown> {
  const copy = stage.place();
  const elsewhere = `${copy.dataDirectory}-space`;
  await stage.walmgr(file, [
    "restore",
    "data.master",
    copy.dataDirectory,
    `--tablespace=${space}=${elsewhere}`,
  ]);
  await stage.startRestored(copy);
  await stage.waitForPrimary(copy);
  const content = await contentOf(copy);
  await copy.stop("immediate");
  return content;
}

const whole = [{ count: 1000, far: 7 }];

test("setup that dies after any change of a file is made good by the next one", async () => {
  assert.ok((await killAfterEach("file.changed", file, ["setup"])) >= 3);
  await stage.switchWal();
  assert.notDeepEqual(await stage.archivedNames(), []);
});

for (const [point, what, least] of [
  ["file.named", "any file has got its name", 3],
  ["file.changed", "any change of a file", 10],
  ["file.written", "any part of what goes into a file", 10],
] as const) {
  describe(`after ${what}`, () => {
    test("a backup that dies leaves nothing half done that looks whole", async () => {
      assert.ok((await killAfterEach(point, file, ["backup"])) >= least);
      const verify = await stage.run(file, ["verify", "--json"]);
      assert.equal(verify.code, 0, verify.stdout + verify.stderr);
      assert.deepEqual(await restored(), whole);
    });

    test("a restore that dies is made good by the next one, and what has its place is whole", async () => {
      const standby = stage.place();
      const outside = (nr: number) => join(stage.root, `${point}-${nr}`);
      const restore = async (nr: number): Promise<readonly [string, readonly string[]]> => [
        await stage.standbyFile(standby, { slave_pg_xlog: `${outside(nr)}-wal` }),
        ["restore", "--no-start", `--tablespace=${space}=${outside(nr)}-space`],
      ];
      assert.ok(
        (await killAfterEach(point, ...(await restore(1)), () => existsSync(standby.dataDirectory))) >= 1,
      );
      await stage.startRestored(standby);
      assert.deepEqual(await contentOf(standby), whole);
      await standby.stop("immediate");
      // What has its place stays there until the next one is whole, and its directories are not touched.
      const [standbyFile, words] = await restore(2);
      const between = await stage.run(standbyFile, words, {
        SKYTOOLS_CRASH_POINT: "restore.old-set-aside=kill",
      });
      assert.equal(between.code, 137, between.stderr);
      await stage.walmgr(standbyFile, words);
      await stage.startRestored(standby);
      assert.deepEqual(await contentOf(standby), whole);
      await standby.stop("immediate");
    });
  });
}
