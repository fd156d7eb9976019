import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { waitFor } from "@skytools/testbed";
import { noSshServer, SshServer } from "../fixture/ssh-server.js";
import { Stage } from "../fixture/stage.js";

// A real sshd between the primary, the archive, and the standby.
let stage: Stage;
let ssh: SshServer;
let archiveFile: string;
let primaryFile: string;
let far: Record<string, string>;

before(async () => {
  if (noSshServer) return;
  stage = await Stage.start();
  ssh = await SshServer.start(await stage.directory("ssh"));
  const walmgr_data = join(stage.root, "far archive");
  archiveFile = await stage.file({ walmgr_data, backup_compression: "gzip" });
  far = { ...ssh.settings, walmgr_data: `${ssh.host}:${walmgr_data}`, slave_config: archiveFile };
  primaryFile = await stage.primaryFile({ ...far, slave: ssh.host });
  await stage.primary.query("create table t as select generate_series(1, 1000) as id");
});

after(async () => {
  await ssh?.[Symbol.asyncDispose]();
  await stage?.[Symbol.asyncDispose]();
});

test("archive, backup, restore and failover over a real ssh", { skip: noSshServer }, async () => {
  const setup = await stage.walmgr(primaryFile, ["setup"]);
  assert.match(setup.stderr, /arrived|archive/i);
  await stage.walmgr(primaryFile, ["backup"]);
  await stage.primary.query("insert into t select generate_series(1001, 2000)");
  await stage.switchWal();
  await stage.primary.query("insert into t select generate_series(2001, 3000)");
  await stage.primary.killHard();
  // The begun segment of the dead server, too.
  await stage.walmgr(primaryFile, ["sync"]);
  const verify = await stage.run(primaryFile, ["listbackups", "--json"]);
  assert.equal((JSON.parse(verify.stdout) as unknown[]).length, 1, verify.stderr);
  const standby = stage.place();
  const standbyFile = await stage.standbyFile(standby, { ...far, slave_db: standby.connstr() });
  await stage.walmgr(standbyFile, ["restore", "--no-start"]);
  await stage.startRestored(standby, { wal_retrieve_retry_interval: "100ms" });
  await stage.walmgr(standbyFile, ["boot"]);
  const [row] = await standby.query<{ count: number }>("select count(*)::int from t");
  assert.equal(row?.count, 3000);
  await standby.stop("immediate");
});

test("a server of ssh that is away is trouble; what waited arrives when it is back", {
  skip: noSshServer,
}, async () => {
  await stage.primary.start();
  await ssh.stop();
  await stage.primary.query("select pg_switch_wal() from pg_logical_emit_message(true, 'x', 'x')");
  await waitFor("a failure", async () => {
    const [archiver] = await stage.primary.query<{ failed: number }>(
      "select failed_count::int as failed from pg_stat_archiver",
    );
    return (archiver?.failed ?? 0) > 0;
  });
  const refused = await stage.run(primaryFile, ["backup"]);
  assert.equal(refused.code, 2, refused.stderr);
  assert.match(refused.stderr, /ssh to .*: .*Connection refused/);
  await ssh.resume();
  await stage.switchWal();
  await stage.walmgr(primaryFile, ["backup"]);
});
