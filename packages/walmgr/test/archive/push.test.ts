import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { chmod, readdir, readFile, rm, symlink, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { runProgram, waitFor } from "@skytools/testbed";
import { PrimaryDirectory } from "../fixture/primary-directory.js";
import { walFile } from "../fixture/wal-file.js";

const first = "000000010000000000000001";
const second = "000000010000000000000002";

async function archiveNames(primary: PrimaryDirectory): Promise<string[]> {
  return (await readdir(join(primary.archive, "logs.complete"))).sort();
}

test("a segment is stored once, with its checksum; the same content again is a success", async () => {
  await using primary = await PrimaryDirectory.create();
  const content = walFile(first);
  await primary.addWal(first, content);
  const push = await primary.xarchive(first);
  assert.equal(push.code, 0, push.stderr);
  assert.deepEqual(await readFile(primary.stored(first)), content);
  const check = await runProgram("sha256sum", ["--check", `${first.slice(0, 16)}.sha256`], {
    cwd: join(primary.archive, "logs.complete"),
  });
  assert.equal(check.code, 0, check.stderr);
  const again = await primary.xarchive(first);
  assert.equal(again.code, 0, again.stderr);
  assert.match(again.stderr, /is in the archive already/);
  assert.equal(await readFile(join(primary.data, ".walshipping.last"), "utf8"), first);
});

test("other content under a stored name is refused with 45, the old copy stays", async () => {
  await using primary = await PrimaryDirectory.create();
  const content = walFile(first);
  await primary.addWal(first, content);
  assert.equal((await primary.xarchive(first)).code, 0);
  const other = Buffer.from(content);
  other[50_000] = other[50_000]! ^ 1;
  await primary.addWal(first, other);
  const refused = await primary.xarchive(first);
  assert.equal(refused.code, 45);
  assert.match(refused.stderr, /holds other content under the name 0{7}1/);
  assert.match(refused.stderr, /two primaries/);
  assert.deepEqual(await readFile(primary.stored(first)), content);
});

test("what is no segment of this cluster is refused with 44 and leaves nothing", async () => {
  await using primary = await PrimaryDirectory.create();
  await primary.addWal(first, walFile(first));
  assert.equal((await primary.xarchive(first)).code, 0);
  const before = await archiveNames(primary);
  const cases: [what: string, name: string, content: Buffer | string, message: RegExp][] = [
    [
      "other system",
      second,
      walFile(second, { systemIdentifier: "42" }),
      /belongs to the cluster with system identifier/,
    ],
    ["truncated", second, walFile(second).subarray(0, 500_000), /500000 bytes long, its header says 1048576/],
    ["empty", second, "", /is empty/],
    ["other position", second, walFile(first), /another position/],
    [
      "other segment size",
      second,
      walFile("000000010000000000000002", { size: 2 << 20 }),
      /segments of 1048576 bytes/,
    ],
    ["later timeline", second, walFile(second, { timeline: 9 }), /later timeline 9/],
    ["empty history", "00000002.history", "", /is empty/],
    ["bad history", "00000002.history", "nonsense\n", /bad line/],
    ["no backup history", `${second}.00000028.backup`, "x", /not a backup history/],
    ["no WAL name", "evil", "x", /not the name of a WAL file/],
  ];
  for (const [what, name, content, message] of cases) {
    await primary.addWal(name, content);
    const refused = await primary.xarchive(name);
    assert.equal(refused.code, 44, `${what}: ${refused.stderr}`);
    assert.match(refused.stderr, message, what);
  }
  assert.deepEqual(await archiveNames(primary), before);
});

test("histories, backup histories and partial segments are kept as they are", async () => {
  await using primary = await PrimaryDirectory.create({ archive_compression: "gzip" });
  const files: [string, Buffer | string][] = [
    ["00000002.history", "1\t0/100000\tno recovery target specified\n"],
    [`${first}.00000028.backup`, "START WAL LOCATION: 0/100028 (file 000000010000000000000001)\n"],
    [`${first}.partial`, walFile(first)],
  ];
  for (const [name, content] of files) {
    await primary.addWal(name, content);
    assert.equal((await primary.xarchive(name)).code, 0);
    const got = await primary.xrestore(name);
    assert.equal(got.code, 0, got.stderr);
    assert.deepEqual(await readFile(join(primary.data, "pg_wal/RECOVERYXLOG")), Buffer.from(content));
  }
});

for (const codec of ["gzip", "zstd"]) {
  test(`compressed with ${codec}: the same rules, and a change of compression is none of content`, async () => {
    await using primary = await PrimaryDirectory.create({ archive_compression: codec });
    const content = walFile(first, { fill: 7 });
    await primary.addWal(first, content);
    const push = await primary.xarchive(first);
    assert.equal(push.code, 0, push.stderr);
    assert.ok(
      (await readFile(primary.stored(`${first}.${codec === "gzip" ? "gz" : "zst"}`))).length < 100_000,
    );
    assert.equal((await primary.xarchive(first)).code, 0);
    await primary.configure({ archive_compression: "none" });
    assert.equal((await primary.xarchive(first)).code, 0);
    assert.ok(!(await archiveNames(primary)).includes(first));
    assert.equal((await primary.xrestore(first)).code, 0);
    assert.deepEqual(await readFile(join(primary.data, "pg_wal/RECOVERYXLOG")), content);
    await primary.addWal(first, walFile(first, { fill: 8 }));
    assert.equal((await primary.xarchive(first)).code, 45);
  });
}

test("segments that wait are stored with the one that is asked for, and need no program then", async () => {
  await using primary = await PrimaryDirectory.create({ archive_ahead: "3" });
  const names = [1, 2, 3, 4, 5].map((n) => `00000001000000000000000${n}`);
  for (const name of names) await primary.addWal(name, walFile(name), true);
  assert.equal((await primary.xarchive(names[0]!)).code, 0);
  assert.deepEqual(
    (await archiveNames(primary)).filter((name) => name.length === 24),
    names.slice(0, 3),
  );
  const { archiveCommand } = await import("#src/hook/archive-status.js");
  const call = (name: string) => {
    const command = archiveCommand("false")
      .replaceAll("%f", name)
      .replaceAll("%p", `pg_wal/${name}`)
      .replaceAll("%%", "%");
    return runProgram("/bin/sh", ["-c", command], { cwd: primary.data });
  };
  assert.equal((await call(names[1]!)).code, 0);
  assert.equal((await call(names[3]!)).code, 1, "not stored yet: the program is started");
  await primary.addWal(names[1]!, walFile(names[1]!));
  // File systems count time in steps: within one of them the two would be of the same age.
  const soon = Date.now() / 1000 + 1;
  await utimes(join(primary.data, "pg_wal", names[1]!), soon, soon);
  assert.equal((await call(names[1]!)).code, 1, "written again since: the program is started");
});

test("a call that dies anywhere leaves nothing that looks whole and is not, and the next one succeeds", async () => {
  const points = [
    "archive.begin",
    "archive.chunk-written",
    "archive.written",
    "archive.synced",
    "archive.published",
    "archive.checksum-written",
    "archive.directory-synced",
    "xarchive.stored",
  ];
  for (const point of points) {
    await using primary = await PrimaryDirectory.create();
    const content = walFile(first);
    await primary.addWal(first, content, true);
    const killed = await primary.xarchive(first, { SKYTOOLS_CRASH_POINT: `${point}=kill` });
    assert.equal(killed.code, 137, point);
    const seen = (await archiveNames(primary)).filter((name) => name.startsWith(first) && name.length === 24);
    for (const name of seen) assert.deepEqual(await readFile(primary.stored(name)), content, point);
    const again = await primary.xarchive(first);
    assert.equal(again.code, 0, `${point}: ${again.stderr}`);
    if (point === "archive.begin") {
      const fetch = { SKYTOOLS_CRASH_POINT: "fetch.written=kill" };
      assert.equal((await primary.xrestore(first, "pg_wal/RECOVERYXLOG", fetch)).code, 137);
      assert.ok(!existsSync(join(primary.data, "pg_wal/RECOVERYXLOG")), "nothing looks fetched");
    }
    assert.equal((await primary.xrestore(first)).code, 0, point);
    assert.deepEqual(await readFile(join(primary.data, "pg_wal/RECOVERYXLOG")), content, point);
  }
});

test("a restore of a segment, and a periodic command, that die at their start are made good by the next call", async () => {
  await using primary = await PrimaryDirectory.create({
    periodic_command: "echo ran >> ../ran",
    command_interval: "0",
  });
  const content = walFile(first);
  await primary.addWal(first, content, true);
  const archived = await primary.xarchive(first, { SKYTOOLS_CRASH_POINT: "periodic.started=kill" });
  assert.equal(archived.code, 137, archived.stderr);
  assert.equal((await primary.xarchive(first)).code, 0);
  const target = join(primary.data, "pg_wal/RECOVERYXLOG");
  for (const point of ["fetch.written", "file.named"]) {
    const killed = await primary.xrestore(first, undefined, { SKYTOOLS_CRASH_POINT: `${point}=kill` });
    assert.equal(killed.code, 137, `${point}: ${killed.stderr}`);
    assert.equal((await primary.xrestore(first)).code, 0, point);
    assert.deepEqual(await readFile(target), content, point);
  }
  // Beside the calls that started it, of which the first was killed.
  await waitFor(
    "both to have run",
    async () => (await readFile(join(primary.root, "ran"), "utf8")) === "ran\nran\n",
  );
});

test("an archive that is away or read-only is trouble (2), not an answer", async () => {
  await using primary = await PrimaryDirectory.create();
  await primary.addWal(first, walFile(first));
  await rm(join(primary.archive, "logs.complete"), { recursive: true });
  const away = await primary.xarchive(first);
  assert.equal(away.code, 2, away.stderr);
  assert.match(away.stderr, /cannot be reached \(ENOENT\)/);
  assert.equal((await primary.xrestore(first)).code, 2);
});

test("a read-only archive keeps the segment on the primary", {
  skip: process.getuid?.() === 0 && "root may write everywhere",
}, async () => {
  await using primary = await PrimaryDirectory.create();
  await primary.addWal(first, walFile(first));
  await chmod(join(primary.archive, "logs.complete"), 0o500);
  const refused = await primary.xarchive(first);
  assert.equal(refused.code, 2, refused.stderr);
  assert.match(refused.stderr, /cannot be written \(EACCES\)/);
});

test("a source that has vanished is not archived", async () => {
  await using primary = await PrimaryDirectory.create();
  const gone = await primary.xarchive(first);
  assert.equal(gone.code, 2);
  assert.match(gone.stderr, /cannot read .*ENOENT/);
});

test("fetch tells absent from damaged from unreachable", async () => {
  await using primary = await PrimaryDirectory.create({ restore_retry_timeout: "0" });
  await primary.addWal(first, walFile(first));
  assert.equal((await primary.xarchive(first)).code, 0);
  assert.equal((await primary.xrestore(second)).code, 1);
  assert.equal((await primary.xrestore("../../etc/passwd")).code, 200);
  const damaged = await readFile(primary.stored(first));
  damaged[70_000] = damaged[70_000]! ^ 4;
  await writeFile(primary.stored(first), damaged);
  const refused = await primary.xrestore(first, "pg_wal/OTHER");
  assert.equal(refused.code, 200);
  assert.match(refused.stderr, /does not match its checksum/);
  assert.ok(!(await readdir(join(primary.data, "pg_wal"))).some((name) => name.startsWith("OTHER")));
  await truncate(primary.stored(first), 1000);
  assert.equal((await primary.xrestore(first)).code, 200);
  await rm(join(primary.archive, "logs.complete"), { recursive: true });
  assert.equal((await primary.xrestore(first)).code, 2, "a standby asks again");
  await writeFile(join(primary.data, "recovery.signal"), "");
  assert.equal((await primary.xrestore(first)).code, 200, "a recovery stops instead of ending early");
});

test("a recovery does not end at a gap", async () => {
  await using primary = await PrimaryDirectory.create();
  const third = "000000010000000000000003";
  for (const name of [first, third]) {
    await primary.addWal(name, walFile(name));
    assert.equal((await primary.xarchive(name)).code, 0);
  }
  await writeFile(join(primary.archive, "logs.partial", `${second}.partial`), walFile(second));
  assert.equal((await primary.xrestore(second)).code, 1, "a standby asks its primary");
  await writeFile(join(primary.data, "recovery.signal"), "");
  const refused = await primary.xrestore(second);
  assert.equal(refused.code, 200);
  assert.match(refused.stderr, /0{7}10{15}2 is missing, but later segments are there/);
});

test("a server in recovery gets the following segments ahead, up to the first that is missing", async () => {
  await using recovering = await PrimaryDirectory.create({ restore_ahead: "3", parallel_jobs: "1" });
  const names = Array.from(
    { length: 8 },
    (_unused, index) => `0000000100000000000000${(0xf0 + index).toString(16).toUpperCase()}`,
  );
  for (const name of names.filter((each) => each !== names[6])) {
    await recovering.addWal(name, walFile(name));
    assert.equal((await recovering.xarchive(name)).code, 0);
  }
  const ahead = async () => (await readdir(join(recovering.data, "pg_wal/walmgr_ahead"))).sort();
  assert.equal((await recovering.xrestore(names[0]!, "pg_wal/by-hand")).code, 0);
  await assert.rejects(ahead(), { code: "ENOENT" });
  assert.equal((await recovering.xrestore(names[0]!)).code, 0);
  assert.deepEqual(await ahead(), names.slice(1, 4));
  const second = join(recovering.data, "pg_wal/walmgr_ahead", names[1]!);
  assert.deepEqual(await readFile(second), await readFile(recovering.stored(names[1]!)));
  assert.equal((await recovering.xrestore(names[4]!)).code, 0);
  assert.deepEqual(await ahead(), [names[5]]);
  // A damaged one is left to the server's own request, which tells.
  await writeFile(recovering.stored(names[5]!), walFile(names[5]!));
  assert.equal((await recovering.xrestore(names[3]!)).code, 0);
  assert.deepEqual(await ahead(), [names[4], names[5]]);
  await rm(join(recovering.data, "pg_wal/walmgr_ahead"), { recursive: true });
  assert.equal((await recovering.xrestore(names[4]!)).code, 0);
  assert.deepEqual(await ahead(), []);
});

test("a symbolic link in the archive is not followed", async () => {
  await using primary = await PrimaryDirectory.create();
  const secret = join(primary.root, "secret");
  await writeFile(secret, walFile(first));
  await symlink(secret, primary.stored(first));
  assert.equal((await primary.xrestore(first)).code, 2);
});

test("a begun segment is handed out only where recovery ends", async () => {
  await using primary = await PrimaryDirectory.create();
  await primary.addWal(first, walFile(first));
  assert.equal((await primary.xarchive(first)).code, 0);
  const content = walFile(second);
  await writeFile(join(primary.archive, "logs.partial", `${second}.partial`), content);
  assert.equal((await primary.xrestore(second)).code, 1, "a standby goes on following");
  await writeFile(join(primary.archive, "logs.complete", "STOP"), "1");
  assert.equal((await primary.xrestore(second)).code, 0, "promotion");
  await rm(join(primary.archive, "logs.complete", "STOP"));
  await writeFile(join(primary.data, "recovery.signal"), "");
  assert.equal((await primary.xrestore(second)).code, 0, "recovery to the end");
  assert.deepEqual(await readFile(join(primary.data, "pg_wal/RECOVERYXLOG")), content);
  await writeFile(
    join(primary.archive, "logs.partial", `${second}.partial`),
    walFile(second, { systemIdentifier: "42" }),
  );
  assert.equal((await primary.xrestore(second)).code, 1, "of another cluster");
});
