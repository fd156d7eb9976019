import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Cluster } from "@skytools/testbed";
import { Stage } from "../fixture/stage.js";

/* Commands that change a server or run other programs: killed at each point, run again, they end as if nothing had happened. */

let stage: Stage;
let primaryFile: string;
let standby: Cluster;
let standbyFile: string;

before(async () => {
  // Too few for setup, which then wants a restart.
  stage = await Stage.start({ settings: { archive_command: "exit 1", max_wal_senders: "2" } });
  primaryFile = await stage.primaryFile({ master_restart_cmd: "true" });
  standby = stage.place();
  standbyFile = await stage.standbyFile(standby, {
    primary_conninfo: stage.primary.connstr(),
    slave_db: standby.connstr(),
    slave_start_cmd: `touch "${join(stage.root, "started")}"`,
  });
});

after(async () => {
  await stage[Symbol.asyncDispose]();
});

/** Kills a command at each point, and runs it to its end. @returns what that said */
async function killAtEach(file: string, args: readonly string[], points: readonly string[]): Promise<string> {
  for (const point of points) {
    const { code, stderr } = await stage.run(file, args, { SKYTOOLS_CRASH_POINT: `${point}=kill` });
    assert.equal(code, 137, `${args.join(" ")} was not killed at ${point}: ${stderr}`);
  }
  return (await stage.walmgr(file, args)).stderr;
}

async function archiveCommand(): Promise<string> {
  const [row] = await stage.primary.query<{ setting: string }>(
    "select current_setting('archive_command') as setting",
  );
  return row!.setting;
}

test("setup", async () => {
  assert.match(
    await killAtEach(primaryFile, ["setup"], ["setup.setting-stored", "setup.restarted"]),
    /Archiving works/,
  );
  assert.match(await archiveCommand(), /xarchive/);
});

test("createslave", async () => {
  // With as many connections as setup wanted: those of killed calls end when the server notices.
  await stage.primary.restart();
  await killAtEach(standbyFile, ["createslave"], ["slot.made", "server.started"]);
  assert.ok(existsSync(join(stage.root, "started")));
  assert.ok(existsSync(join(standby.dataDirectory, "standby.signal")));
  const slots = await stage.primary.query(
    "select slot_name as name from pg_replication_slots where not temporary",
  );
  assert.deepEqual(slots, [{ name: "walmgr_standby" }]);
});

test("synch-standby", async () => {
  await killAtEach(primaryFile, ["synch-standby", ""], ["synch-standby.stored"]);
});

test("stop", async () => {
  await killAtEach(primaryFile, ["stop", "--force"], ["stop.setting-stored"]);
  assert.equal(await archiveCommand(), "exit 1");
});
