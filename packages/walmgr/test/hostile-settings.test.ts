import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Config, frameworkConfig } from "@skytools/skytools";
import { memoryLog, runProgram, temporaryDirectory } from "@skytools/testbed";
import fc from "fast-check";
import { walmgr } from "#src/cli.js";
import { walGCommands } from "#src/engine/wal-g.js";
import { archiveCommand } from "#src/hook/archive-status.js";
import { setPasswordEntry } from "#src/init/password-entry.js";
import { ownCommand, restoreCommand } from "#src/place/own-command.js";
import { Settings } from "#src/place/settings.js";
import { shellCommand } from "#src/remote/shell-quote.js";
import { rewind } from "#src/standby/rewind.js";
import { standbySlotName } from "#src/standby/standby-settings.js";

/* What a configuration may hold that a shell, ssh, a server or a path would take for something else: each is taken as it is, or
 * refused by one error that names its key. */

const hostile = [
  "a b",
  "it's",
  '"q"',
  "$(touch canary)",
  "`touch canary`",
  "; touch canary",
  "a\\b\\",
  "%f %p %%",
  "-rf",
  "~",
  "*?[a]",
  "A=b",
  "#x",
  "ü",
  "",
];

function settings(values: Readonly<Record<string, string>>): Settings {
  const lines = Object.entries(values).map(([key, value]) => `${key} = ${value.replaceAll("%", "%%")}\n`);
  const groups = [...walmgr.config, frameworkConfig];
  return new Settings(Config.parse(`[walmgr]\n${lines.join("")}`, "walmgr", { file: "w.ini", groups }));
}

/** What a shell makes of the words of a command line. */
function wordsOf(command: string, cwd?: string): string[] {
  const { stdout } = spawnSync("/bin/sh", ["-c", `printf '%s\\0' ${command}`], { encoding: "utf8", cwd });
  return stdout.split("\0").slice(0, -1);
}

test("a shell reads back every word as it was, the first one too", () => {
  assert.deepEqual(wordsOf(shellCommand(hostile)), hostile);
  const { stderr } = spawnSync("/bin/sh", ["-c", shellCommand(["A=b", "x"])], {
    encoding: "utf8",
    env: { LC_ALL: "C" },
  });
  assert.match(stderr, /A=b: not found/);
  const words = fc.sample(
    fc.string({ unit: "grapheme", maxLength: 8 }).filter((word) => !word.includes("\0")),
    { numRuns: 300, seed: 1 },
  );
  assert.deepEqual(wordsOf(shellCommand(words)), words);
});

test("the server's commands find the file and the archive by any name, and run nothing else", async () => {
  await using directory = await temporaryDirectory("hostile");
  for (const name of hostile.filter((each) => each !== "")) {
    const cwd = join(directory.path, name);
    await mkdir(join(cwd, "pg_wal"), { recursive: true });
    const file = join(cwd, "w.ini");
    const asServer = (command: string) =>
      command.replaceAll(
        /%(.)/g,
        (_all, letter: string) => ({ "%": "%", f: "0001", p: "pg_wal/x", r: "0000" })[letter]!,
      );
    const asked = (command: string) => wordsOf(command.replace(/^.*?\bexec /s, ""), cwd);
    const restore = asServer(restoreCommand(file, join(cwd, "PAUSE")));
    assert.deepEqual(asked(restore).slice(2), [file, "xrestore", "0001", "pg_wal/x", "0000"]);
    assert.deepEqual(asked(asServer(archiveCommand(ownCommand(file)))).slice(2), [
      file,
      "xarchive",
      "pg_wal/x",
      "0001",
    ]);
    // While the pause file is there, nothing that was fetched ahead is handed out.
    const handOut = restore.replace(/\|\| exec .*$/s, "");
    await mkdir(join(cwd, "pg_wal/walmgr_ahead"));
    const isHandedOut = () => spawnSync("/bin/sh", ["-c", handOut], { cwd }).status === 0;
    const ahead = () => writeFile(join(cwd, "pg_wal/walmgr_ahead/0001"), "");
    await ahead();
    assert.ok(isHandedOut(), name);
    await ahead();
    await writeFile(join(cwd, "PAUSE"), "");
    assert.ok(!isHandedOut(), name);
  }
  assert.deepEqual(spawnSync("find", [directory.path, "-name", "canary"]).stdout.toString(), "");
  assert.throws(
    () => ownCommand("/a\nb/w.ini"),
    /"\/a\\nb\/w\.ini": a server cannot be told a path with a line's end/,
  );
});

test("paths are taken as they are, whatever is in them but a line's end", () => {
  for (const name of hostile) {
    const archive = settings({ walmgr_data: `/x/${name}`, slave_data: `/y/${name}/` });
    assert.equal(archive.paths.completed, join("/x", name, "logs.complete"));
    assert.equal(archive.path("slave_data"), join("/y", name).replace(/(.)\/$/, "$1"));
  }
  for (const key of ["walmgr_data", "completed_wals", "full_backup"])
    assert.throws(
      () => settings({ walmgr_data: "/x", [key]: "/a\n  b" }),
      new RegExp(`w\\.ini:\\d+: \\[walmgr\\] ${key}: "/a\\\\nb" is not a path: it has a line's end in it`),
    );
  assert.throws(
    () => settings({ walmgr_data: "/x", slave_data: "/a\n  b" }).dataDirectory(),
    /slave_data: .* line's end/,
  );
});

test("a host is one for ssh, or refused", () => {
  const slave = (host: string) =>
    settings({ master_data: "/d", slave: host, walmgr_data: "/w", slave_config: "/c" });
  for (const host of ["db2", "me@db2.example.com", "10.0.0.1", "fe80::1%eth0", "ssh://me@db2:2222"])
    assert.equal(slave(host).remote?.host, host);
  for (const host of [
    "-oProxyCommand=x",
    "$(id)",
    "a b",
    "`id`",
    "a;b",
    "a|b",
    "a&b",
    "<a",
    "'a'",
    "a\\b",
    "a\n  b",
  ])
    assert.throws(() => slave(host), /\[walmgr\] slave: ".*" is not a host as ssh takes it/s, host);
});

test("a slot's name that a server would refuse is refused before anything happens", () => {
  const slot = (name: string) => settings({ walmgr_data: "/w", slot_name: name });
  assert.equal(standbySlotName(slot("a_1")), "a_1_standby");
  for (const name of ["A", "a b", "a-b", 'a"b', "a;b", "$(id)", "ä", "a".repeat(64)])
    assert.throws(() => slot(name), /\[walmgr\] slot_name: ".*" is not a slot's name/, name);
  assert.throws(() => standbySlotName(slot("a".repeat(60))), /slot_name: too long/);
});

test("a set's name is no switch of an engine", () => {
  const target = { settings: new Map(), text: undefined, lsn: undefined, timeline: "latest" };
  const commands = walGCommands(settings({ walmgr_data: "/w" }));
  const request = { dataDirectory: "/d", target, isStandby: true, tablespaceMoves: [] };
  assert.throws(
    () => commands.restore({ ...request, set: "--config=/x" }),
    /"--config=\/x" is not the name of a backup/,
  );
});

test("a secret that pg_rewind takes from its command line alone keeps it from being started", async () => {
  for (const key of ["sslpassword", "scram_client_key", "oauth_client_secret"]) {
    let message = "";
    try {
      await rewind(
        settings({ walmgr_data: "/w", slave_bin: "/nonexistent" }),
        "/d",
        `host=h password=p ${key}=secret`,
        memoryLog(),
      );
    } catch (error) {
      message = String(error);
    }
    assert.match(message, new RegExp(`pg_rewind would show everybody ${key}`));
    assert.doesNotMatch(message, /=secret/);
  }
});

test("files that --init writes hold what was given, or nothing is written", async () => {
  await using directory = await temporaryDirectory("init");
  const home = join(directory.path, "home");
  const data = join(directory.path, "it's $(touch canary) 100%");
  for (const path of [home, data]) await mkdir(path);
  await writeFile(join(data, "postgresql.conf"), "");
  const run = (...args: string[]) => runProgram("walmgr", args, { cwd: directory.path, env: { HOME: home } });
  const made = await run("--init-slave", `--pgdata=${data}`, "--primary-conninfo=host=h options='-c a=%x'");
  assert.equal(made.code, 0, made.stderr);
  const config = Config.load(join(home, "conf/wal-slave.ini"), "walmgr");
  assert.equal(config.get("slave_data"), data);
  assert.equal(config.get("primary_conninfo"), "host=h options='-c a=%x'");
  assert.deepEqual(wordsOf(config.get("slave_stop_cmd"), directory.path).slice(1), [
    "-D",
    data,
    "-m",
    "fast",
    "stop",
  ]);
  const refused = await run(
    "--init-slave",
    `--pgdata=${data}`,
    `--config-dir=${home}/other`,
    "--walmgr-data=/w\nslave_stop_cmd = x",
  );
  assert.equal(refused.code, 1);
  assert.match(
    refused.stderr,
    /walmgr_data: "\/w\\nslave_stop_cmd = x" cannot stand in a configuration file/,
  );
  const host = await run("--init-master", `--pgdata=${data}`, "--slave=$(id)");
  assert.match(host.stderr, /--slave: "\$\(id\)" is not a host as ssh takes it/);
  await writeFile(join(home, "keys"), "ssh-ed25519 AAAA one\nssh-ed25519 AAAA two\n");
  const keys = await run(
    "--init-slave",
    `--pgdata=${data}`,
    `--config-dir=${home}/other`,
    `--ssh-add-key=${home}/keys`,
  );
  assert.match(keys.stderr, /--ssh-add-key: \S+ holds more than one line, a public key is one/);
  assert.equal(spawnSync("find", [home, "-name", "other", "-o", "-name", ".ssh"]).stdout.toString(), "");
  await assert.rejects(
    setPasswordEntry(join(home, ".pgpass"), "host='a\nb' user=u", "p"),
    /with a line's end/,
  );
});
