import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory, waitFor } from "@skytools/testbed";
import { checkPidfile, Pidfile, probePidfile, signalPidfile } from "#src/index.js";

function deadPid(): number {
  return spawnSync(process.execPath, ["-e", ""]).pid;
}

async function inDirectory(body: (path: string) => void | Promise<void>): Promise<void> {
  await using directory = await temporaryDirectory("pid");
  await body(join(directory.path, "x.pid"));
}

test("the file holds the bare number and goes with its writer", async () => {
  await inDirectory((path) => {
    const pidfile = new Pidfile(path);
    assert.equal(pidfile.create(), "new");
    assert.equal(readFileSync(path, "utf8"), String(process.pid));
    pidfile.remove();
    assert.deepEqual(readdirSync(join(path, "..")), []);
  });
});

test("nothing is written through a link, neither of its name nor of the draft's", async () => {
  await inDirectory((path) => {
    const victim = join(path, "..", "victim");
    writeFileSync(victim, "as it was");
    for (const link of [`${path}.${process.pid}.new`, path]) {
      symlinkSync(victim, link);
      try {
        new Pidfile(path).create();
      } catch (error) {
        assert.match(String(error), /Corrupt pidfile/);
      }
      assert.equal(readFileSync(victim, "utf8"), "as it was", link);
      rmSync(path, { force: true });
    }
  });
});

test("a file that somebody else has written meanwhile stays", async () => {
  await inDirectory((path) => {
    const pidfile = new Pidfile(path);
    pidfile.create();
    writeFileSync(path, "1");
    pidfile.remove();
    assert.equal(readFileSync(path, "utf8"), "1");
  });
});

test("a live process is respected, a dead one replaced", async () => {
  await inDirectory(async (path) => {
    const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
    try {
      writeFileSync(path, `${child.pid}\n/data\n5432\n`);
      assert.deepEqual(probePidfile(path), { state: "running", pid: child.pid });
      assert.throws(() => checkPidfile(path), { code: "PIDFILE_BUSY" });
      assert.throws(() => new Pidfile(path).create(), {
        code: "PIDFILE_BUSY",
        message: `Pidfile exists, another process running? (${path}, pid ${child.pid})`,
      });
    } finally {
      child.kill("SIGKILL");
      await new Promise((resolve) => child.once("close", resolve));
    }
    assert.equal(checkPidfile(path), "stale");
    assert.equal(new Pidfile(path).create(), "stale");
    assert.equal(readFileSync(path, "utf8"), String(process.pid));
    assert.deepEqual(readdirSync(join(path, "..")), ["x.pid"]);
  });
});

test("our own number in an old file is stale", async () => {
  await inDirectory((path) => {
    writeFileSync(path, String(process.pid));
    assert.deepEqual(probePidfile(path), { state: "stale" });
    assert.equal(new Pidfile(path).create(), "stale");
  });
});

test("no file, no content and no number", async () => {
  await inDirectory((path) => {
    assert.deepEqual(probePidfile(path), { state: "absent" });
    assert.equal(signalPidfile(path, 0), false);
    writeFileSync(path, "");
    assert.deepEqual(probePidfile(path), { state: "stale" });
    assert.equal(signalPidfile(path, 0), false);
    writeFileSync(path, "abc");
    assert.throws(() => probePidfile(path), { code: "PIDFILE", message: `Corrupt pidfile: ${path}` });
    assert.throws(() => signalPidfile(path, 0), { code: "PIDFILE" });
    assert.throws(() => new Pidfile(path).create(), { code: "PIDFILE" });
    assert.ok(existsSync(path));
  });
});

test("signals arrive, also through the first of many lines", async () => {
  await inDirectory(async (path) => {
    const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
    const end = new Promise((resolve) => child.once("close", (_code, signal) => resolve(signal)));
    writeFileSync(path, ` ${child.pid} \nmore`);
    assert.equal(signalPidfile(path, "SIGTERM"), true);
    assert.equal(await end, "SIGTERM");
    assert.equal(signalPidfile(path, "SIGTERM"), false);
  });
});

test("a pidfile in a missing directory is one clear error", () => {
  assert.throws(() => new Pidfile("/nonexistent/x.pid").create(), {
    code: "PIDFILE",
    message: "cannot write pidfile /nonexistent/x.pid (ENOENT)",
    hint: "Create the directory first.",
  });
});

test("of many processes that find a stale file one gets it", async () => {
  await inDirectory(async (path) => {
    writeFileSync(path, String(deadPid()));
    const gate = `${path}.gate`;
    const claim = `
      import { existsSync } from "node:fs";
      const { Pidfile } = await import(${JSON.stringify(import.meta.resolve("@skytools/skytools"))});
      process.stderr.write("at the gate");
      while (!existsSync(${JSON.stringify(gate)}));
      try { new Pidfile(${JSON.stringify(path)}).create(); process.stdout.write("mine\\n"); }
      catch (error) { process.stdout.write(error.code + "\\n"); }
      process.stdin.resume();`;
    const children = Array.from({ length: 6 }, () =>
      spawn(process.execPath, ["--input-type=module", "-e", claim]),
    );
    await Promise.all(children.map((child) => once(child.stderr, "data")));
    writeFileSync(gate, "");
    const answers = await Promise.all(
      children.map(
        (child) =>
          new Promise<string>((resolve) => child.stdout.once("data", (data) => resolve(String(data).trim()))),
      ),
    );
    const ends = children.map((child) => new Promise((resolve) => child.once("close", resolve)));
    for (const child of children) child.stdin.end();
    await Promise.all(ends);
    assert.deepEqual(answers.sort(), [...Array.from({ length: 5 }, () => "PIDFILE_BUSY"), "mine"]);
  });
});

test("a process that has ended but was not waited for by its parent is dead", {
  skip: !existsSync("/proc/self/stat"),
}, async () => {
  await inDirectory(async (path) => {
    // sleep takes the shell's place and never waits for the shell's child, which ends only then: before, the shell
    // itself could wait for it.
    const child = `sh -c 'until grep -q sleep /proc/$PPID/comm; do :; done' & echo $!; exec sleep 1000`;
    const parent = spawn("sh", ["-c", child], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [pid] = (await once(parent.stdout, "data")) as [Buffer];
    writeFileSync(path, pid);
    await waitFor("the zombie", () => readFileSync(`/proc/${Number(pid)}/stat`, "utf8").includes(") Z "));
    assert.equal(checkPidfile(path), "stale");
    parent.kill("SIGKILL");
  });
});

test("a number that no process can have is none", async () => {
  await inDirectory((path) => {
    for (const text of ["2147483648", "9999999999", "1".repeat(40)]) {
      writeFileSync(path, text);
      assert.throws(() => signalPidfile(path, 0), { code: "PIDFILE", message: `Corrupt pidfile: ${path}` });
      assert.throws(() => probePidfile(path), { code: "PIDFILE" });
    }
  });
});
