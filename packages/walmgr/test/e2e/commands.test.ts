import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { runProgram, waitFor } from "@skytools/testbed";
import { PrimaryDirectory } from "../fixture/primary-directory.js";
import { walFile } from "../fixture/wal-file.js";

let here: PrimaryDirectory;
let slave: string;

before(async () => {
  here = await PrimaryDirectory.create();
  slave = join(here.root, "slave.ini");
  await writeFile(slave, `[walmgr]\nwalmgr_data = ${here.archive}\nslave_data = ${here.root}/standby\n`);
});

after(async () => {
  await here[Symbol.asyncDispose]();
});

function onSlave(args: readonly string[], input = "") {
  return runProgram("walmgr", [slave, ...args], { input });
}

test("xlock and xrelease speak with a walmgr of old", async () => {
  assert.equal((await onSlave(["xlock", "4711"])).code, 0);
  const taken = await onSlave(["xlock", "4712"]);
  assert.deepEqual([taken.code, taken.stdout], [1, "4711\n"]);
  assert.equal(await readFile(join(here.archive, "logs.complete/BACKUPLOCK"), "utf8"), "4711");
  // That number is a process of the primary: here is none with it, and the lock is held all the same.
  const expire = await onSlave(["expire"]);
  assert.match(expire.stderr, /a backup is running: process 4711 of the primary holds/);
  assert.equal((await onSlave(["xrelease"])).code, 0);
  assert.equal((await onSlave(["xrelease"])).code, 0);
  assert.equal((await onSlave(["xlock", "1; rm -rf /"])).code, 1);
  const dead = JSON.stringify({ pid: spawnSync("true").pid, host: hostname(), startTime: "1" });
  await writeFile(join(here.archive, "logs.complete/BACKUPLOCK"), dead);
  assert.equal((await onSlave(["xlock", "4711"])).code, 0, "what a backup that died has left is no lock");
  assert.equal((await onSlave(["xrelease"])).code, 0);
});

test("a lock that cannot be taken because there is no archive tells to set it up", async () => {
  const file = join(here.root, "no-archive.ini");
  await writeFile(file, `[walmgr]\nwalmgr_data = ${here.root}/nowhere\nslave_data = ${here.root}/standby\n`);
  const refused = await runProgram("walmgr", [file, "xlock", "4711"]);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /BACKUPLOCK \(ENOENT\)\nHINT: Run setup first/);
});

test("xpartialsync writes pieces, and only into begun segments", async () => {
  const segment = "000000010000000000000005";
  const content = walFile(segment, { fill: 65 });
  const text = content.toString("latin1").slice(0, 100);
  const first = await onSlave(["xpartialsync", segment, "0", "100"], text.slice(0, 10));
  assert.equal(first.code, 1);
  assert.match(first.stderr, /\d+ of 100 bytes came/);
  const escaping = await onSlave(["xpartialsync", "../../x", "0", "1"], "a");
  assert.equal(escaping.code, 1);
  assert.match(escaping.stderr, /is not the name of a segment/);
});

test("sync ships the rest of a server that is down: finished segments, and the begun one", async () => {
  const names = [1, 2, 3].map((n) => `00000001000000000000000${n}`);
  for (const name of names) await here.addWal(name, walFile(name));
  // A recycled segment: named for WAL that is not written yet.
  await here.addWal("000000010000000000000004", walFile("000000010000000000000001"));
  for (const point of ["sync.finished-stored", "sync.partial-written", "sync.partial-renamed"]) {
    const killed = await here.walmgr(["sync"], { SKYTOOLS_CRASH_POINT: `${point}=kill` });
    assert.equal(killed.code, 137, `${point}: ${killed.stderr}`);
  }
  const sync = await here.walmgr(["sync"]);
  assert.equal(sync.code, 0, sync.stderr);
  assert.match(sync.stderr, /Archived 0 files; begun segment: 0{7}10{15}3/);
  assert.deepEqual(await archivedSegments(), names.slice(0, 2));
  assert.deepEqual(
    await readFile(join(here.archive, "logs.partial", names[2]!)),
    await readFile(join(here.data, "pg_wal", names[2]!)),
  );
});

async function archivedSegments(): Promise<string[]> {
  const names = await readdir(join(here.archive, "logs.complete"));
  return names.filter((name) => /^[0-9A-F]{24}$/.test(name)).sort();
}

test("every mistake in a file is one line that names file, line and key", async () => {
  const cases: [values: Record<string, string>, args: string[], message: RegExp][] = [
    [
      { archive_compression: "lzma" },
      ["setup"],
      /master\.ini:\d+: \[walmgr\] archive_compression: "lzma" is not one of/,
    ],
    [{ walmgr_data: "relative" }, ["setup"], /walmgr_data: "relative" must be an absolute path/],
    [{ keep_backups: "-1" }, ["setup"], /keep_backups: -1 is less than 0/],
    [{ slave: "far", walmgr_data: "far:/x" }, ["setup"], /slave_config: required key is not set/],
    [
      { slave: "-oProxyCommand=x", slave_config: "/x" },
      ["listbackups"],
      /slave: .* is not a host as ssh takes it/,
    ],
    [{ master_db: "nonsense=1" }, ["setup"], /master_db: .*nonsense/],
    [{ keep_window: "soon" }, ["expire"], /keep_window: "soon" is not a time/],
  ];
  for (const [values, args, message] of cases) {
    await here.configure(values);
    const refused = await here.walmgr(args);
    assert.equal(refused.code, 1, `${JSON.stringify(values)}: ${refused.stderr}`);
    assert.match(refused.stderr, message);
    assert.equal(
      refused.stderr
        .trimEnd()
        .split("\n")
        .filter((line) => !line.startsWith("HINT")).length,
      1,
    );
  }
  await here.configure({});
  const wrongSide = await here.walmgr(["boot"]);
  assert.equal(wrongSide.code, 1);
  assert.match(wrongSide.stderr, /command boot is not available on the primary/);
});

test("periodic runs when it is due, fails when its command fails, and does not hold up archiving", async () => {
  await here.configure({ periodic_command: "exit 3" });
  const failed = await here.walmgr(["periodic"]);
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /periodic_command failed \(exit code 3\)/);
  await here.configure({ periodic_command: "echo ran >&2", command_interval: "3600" });
  assert.match((await here.walmgr(["periodic"])).stderr, /^ran$/m);
  assert.match((await here.walmgr(["periodic"])).stderr, /Nothing to do: it ran/);
  await here.configure({});
});

test("periodic_command does not run beside itself, also not beside one whose caller was killed", async () => {
  const [count, gate] = ["count", "gate"].map((name) => join(here.root, name)) as [string, string];
  const script = join(here.root, "slow");
  await writeFile(script, `echo ran >> "${count}"\nuntil test -e "${gate}"; do sleep 0.05; done\n`);
  // What outlives its caller does not hold the caller's output open.
  await here.configure({ periodic_command: `exec sh "${script}" > /dev/null 2>&1`, command_interval: "0" });
  const killed = await here.walmgr(["periodic"], { SKYTOOLS_CRASH_POINT: "periodic.command-started=kill" });
  assert.equal(killed.code, 137, killed.stderr);
  await waitFor("the command to run", () => existsSync(count));
  assert.match((await here.walmgr(["periodic"])).stderr, /Nothing to do: it is running, process \d+/);
  const segment = "0000000100000000000000E1";
  await here.addWal(segment, walFile(segment));
  assert.equal((await here.xarchive(segment)).code, 0);
  await writeFile(gate, "");
  await waitFor("its turn", async () => !/it is running/.test((await here.walmgr(["periodic"])).stderr));
  assert.equal(await readFile(count, "utf8"), "ran\nran\n");
  await here.configure({});
});

test("--init-master and --init-slave write files that can be used, and never over another", async () => {
  const home = join(here.root, "home");
  await mkdir(home);
  const data = join(here.root, "pgdata");
  await mkdir(data);
  await writeFile(join(data, "postgresql.conf"), "");
  const run = (args: readonly string[]) => runProgram("walmgr", args, { env: { HOME: home } });
  assert.match((await run(["--help"])).stdout, /Use walmgr --init-master --help/);
  const help = await run(["--init-master", "--help"]);
  assert.deepEqual([help.code, /--slave=HOST/.test(help.stdout)], [0, true]);
  const made = await run(["--init-master", "--slave=far", `--pgdata=${data}`]);
  assert.equal(made.code, 0, made.stderr);
  const file = join(home, "conf/wal-master.ini");
  const check = await runProgram("walmgr", [file, "--check"], { env: { HOME: home } });
  assert.equal(check.code, 0, check.stderr + check.stdout);
  const far = await runProgram("walmgr", [file, "listbackups"], {
    env: { HOME: home, PATH: "/nonexistent" },
  });
  assert.equal(far.code, 2);
  assert.match(far.stderr, /ssh to far: could not be started/);
  const near = ["--init-master", "--slave=localhost", `--pgdata=${data}`, `--config-dir=${home}/near`];
  assert.equal((await run(near)).code, 0);
  const local = await run([join(home, "near/wal-master.ini"), "listbackups"]);
  assert.deepEqual(
    [local.code, /archive \S+\/home\/walshipping cannot be read/.test(local.stderr)],
    [2, true],
    local.stderr,
  );
  const again = await run(["--init-master", "--slave=far", `--pgdata=${data}`]);
  assert.deepEqual([again.code, /wal-master\.ini is there already/.test(again.stdout)], [0, true]);
  const other = await run(["--init-master", "--slave=other", `--pgdata=${data}`]);
  assert.equal(other.code, 1);
  assert.match(other.stderr, /wal-master\.ini is there already/);
  await writeFile(join(home, "pw"), "s:ecret\n");
  const conninfo = "host=db1 user=repl";
  const standby = await run([
    "--init-slave",
    `--pgdata=${data}`,
    `--primary-conninfo=${conninfo}`,
    `--add-password=${home}/pw`,
  ]);
  assert.equal(standby.code, 0, standby.stderr);
  assert.equal(await readFile(join(home, ".pgpass"), "utf8"), "db1:5432:replication:repl:s\\:ecret\n");
  assert.ok(!(standby.stdout + standby.stderr).includes("ecret"));
});

test("keys and passwords of the other host come and go; a bad file among the switches leaves everything alone", async (context) => {
  const home = join(here.root, "home of keys");
  const data = join(here.root, "pgdata of keys");
  for (const directory of [home, data]) await mkdir(directory);
  await writeFile(join(data, "postgresql.conf"), "");
  const run = (args: readonly string[]) => runProgram("walmgr", args, { env: { HOME: home } });
  for (const [bad, message] of [
    ["--ssh-add-key=/nonexistent", /--ssh-add-key: cannot read \/nonexistent \(ENOENT\)/],
    ["--add-password=/nonexistent", /--add-password needs --primary-conninfo/],
  ] as const) {
    const refused = await run(["--init-slave", `--pgdata=${data}`, bad]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, message);
  }
  assert.deepEqual(await readdir(home), []);
  if (spawnSync("ssh-keygen", ["-?"]).error !== undefined) {
    context.skip("there is no ssh-keygen");
    return;
  }
  const master = ["--init-master", "--slave=far", `--pgdata=${data}`, "--ssh-keygen"];
  assert.match((await run(master)).stdout, /made .*id_ed25519: ssh-ed25519 /);
  const publicKey = await readFile(join(home, ".ssh/id_ed25519.pub"), "utf8");
  const authorized = join(home, ".ssh/authorized_keys");
  await writeFile(authorized, "ssh-ed25519 AAAA other\n");
  await writeFile(join(home, "pw"), "secret\n");
  for (const directory of ["one", "two"]) {
    const made = await run([
      "--init-slave",
      `--pgdata=${data}`,
      `--config-dir=${home}/${directory}`,
      `--walmgr-data=${home}/wal`,
      `--ssh-add-key=${home}/.ssh/id_ed25519.pub`,
      "--primary-conninfo=host=db1",
      `--add-password=${home}/pw`,
    ]);
    assert.equal(made.code, 0, made.stderr);
  }
  assert.equal(await readFile(authorized, "utf8"), `ssh-ed25519 AAAA other\n${publicKey}`);
  const words = publicKey.trim().split(" ");
  const cleanup = [`--ssh-remove-key=${words[1]}`, "--remove-password", "--force"];
  // Killed when the configuration is gone: there is nothing left to be run again for.
  const killed = await runProgram("walmgr", [join(home, "one/wal-slave.ini"), "cleanup", ...cleanup], {
    env: { HOME: home, SKYTOOLS_CRASH_POINT: "cleanup.removed=kill" },
  });
  assert.equal(killed.code, 137, killed.stderr);
  assert.ok(!existsSync(join(home, "one/wal-slave.ini")));
  assert.equal(await readFile(authorized, "utf8"), "ssh-ed25519 AAAA other\n");
  assert.equal(await readFile(join(home, ".pgpass"), "utf8"), "");
});

test("a section of the 2.x line is read, xrotate and xpurgewals do what an old peer asks, check --fix removes drafts", async () => {
  const root = join(here.root, "old peer");
  const completed = join(root, "logs.complete");
  await mkdir(completed, { recursive: true });
  await mkdir(join(root, "logs.partial"));
  const file = join(root, "slave.ini");
  await writeFile(file, `[wal-slave]\nwalmgr_data = ${root}\n`);
  const run = (...args: string[]) => runProgram("walmgr", [file, ...args]);
  const segments = [4, 5, 6].map((n) => `00000001000000000000000${n}`);
  for (const name of [...segments, "00000002.history"]) await writeFile(join(completed, name), "");
  const info = {
    id: "x",
    systemIdentifier: "1",
    serverVersion: 180000,
    label: "",
    startLsn: "0/500000",
    stopLsn: "0/500100",
    timeline: 1,
    segmentSize: 1 << 20,
    firstSegment: segments[1],
    sizeBytes: 1,
    codec: "none",
    includesWal: true,
    startTime: "2026-01-01T00:00:00Z",
    stopTime: "2026-01-01T00:00:01Z",
    tablespaces: [],
    walmgrVersion: "4",
  };
  await mkdir(join(root, "data.master"));
  await writeFile(join(root, "data.master/backup.json"), JSON.stringify(info));
  const rotate = await run("xrotate");
  assert.equal(rotate.code, 0, rotate.stderr);
  assert.match(rotate.stderr, /WARNING .*slave\.ini: section \[wal-slave\] is now called \[walmgr\]\n/);
  assert.ok(existsSync(join(root, "data.master.0/backup.json")));
  const killed = await runProgram("walmgr", [file, "xpurgewals"], {
    env: { SKYTOOLS_CRASH_POINT: "purge.removed=kill" },
  });
  assert.equal(killed.code, 137, killed.stderr);
  assert.equal((await run("xpurgewals")).code, 0);
  const draft = `.${segments[2]}.1-abc.tmp`;
  await writeFile(join(completed, draft), "");
  await utimes(join(completed, draft), 1, 1);
  await run("check", "--fix");
  assert.deepEqual((await readdir(completed)).sort(), [...segments.slice(1), "00000002.history"].sort());
});

test("an engine does the work behind the same commands", async () => {
  const tool = join(here.root, "tool");
  await writeFile(
    tool,
    `#!/bin/sh\nfor word; do printf '<%s>' "$word"; done; echo; exit "\${TOOL_EXIT:-0}"\n`,
  );
  await chmod(tool, 0o755);
  const common = { engine_command: tool, engine_stanza: "a b" };
  await here.configure({ archive_engine: "pgbackrest", ...common });
  const push = await here.walmgr(["xarchive", "pg_wal/0001", "0001"]);
  assert.equal(push.stdout, "<--stanza=a b><archive-push><pg_wal/0001>\n");
  assert.equal((await here.walmgr(["xarchive", "pg_wal/0001", "0001"], { TOOL_EXIT: "200" })).code, 125);
  assert.equal(
    (await here.walmgr(["backup", "--incremental"])).stdout,
    "<--stanza=a b><--type=incr><backup>\n",
  );
  assert.equal(
    (await here.walmgr(["listbackups", "--json"])).stdout,
    "<--stanza=a b><--output=json><info>\n",
  );
  await here.configure({ archive_engine: "wal-g", ...common });
  assert.equal((await here.walmgr(["backup"])).stdout, `<backup-push><--full><${here.data}>\n`);
  const fetched = (exit: string) =>
    here.walmgr(["xrestore", "000000010000000000000001", "dest"], { TOOL_EXIT: exit });
  assert.equal((await fetched("0")).stdout, "<wal-fetch><000000010000000000000001><dest>\n");
  assert.equal((await fetched("74")).code, 1, "not there");
  assert.equal((await fetched("1")).code, 2, "cannot be told");
  assert.equal(
    (await here.walmgr(["expire", "--dry-run"])).stdout.trim(),
    `${tool} delete retain FULL 1 --confirm`,
  );
  assert.match(
    (await here.walmgr(["status"])).stdout,
    /archive +unreachable: wal-g backup-list printed no JSON/,
  );
  const target = join(here.root, "fetched");
  const chosen = await here.walmgr(["restore", "LATEST", target, "--target-name=x", "--dry-run"]);
  assert.equal(chosen.stdout, `${tool} backup-fetch ${target} LATEST\nwrite the recovery settings\n`);
  await here.configure({ archive_engine: "wal-g", engine_command: join(here.root, "none") });
  assert.match((await here.walmgr(["verify"])).stderr, /wal-g could not be started/);
  await here.configure({});
});

test("cleanup lists what it would remove, and does it only when told to", async () => {
  const refused = await onSlave(["cleanup"]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /cleanup would remove /);
  const mine = join(here.archive, "mine");
  await writeFile(mine, "");
  const occupied = await onSlave(["cleanup", "--force"]);
  assert.equal(occupied.code, 1);
  assert.match(
    occupied.stderr,
    /holds more than an archive: remove it by hand\nHINT: mine is not of the archive/,
  );
  assert.ok(existsSync(mine) && existsSync(slave));
  await rm(mine);
  assert.ok(existsSync(here.archive));
  const killed = await runProgram("walmgr", [slave, "cleanup", "--force"], {
    env: { SKYTOOLS_CRASH_POINT: "cleanup.removed=kill" },
  });
  assert.equal(killed.code, 137, killed.stderr);
  assert.ok(!existsSync(here.archive) && existsSync(slave));
  assert.equal((await onSlave(["cleanup", "--force"])).code, 0);
  assert.ok(!existsSync(here.archive) && !existsSync(slave));
});
