import assert from "node:assert/strict";
import fs, { readlinkSync } from "node:fs";
import { type FileHandle, mkdir, open, readlink, writeFile } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type TemporaryDirectory, temporaryDirectory } from "@skytools/testbed";

/* What a power failure would take is not to be tried here: that everything was brought to the disk is seen by the calls. */

const synced: string[] = [];
const pathOf = (descriptor: number) => readlinkSync(`/proc/self/fd/${descriptor}`);
let directory: TemporaryDirectory;

before(async () => {
  directory = await temporaryDirectory("durable");
  const original = fs.fsync;
  fs.fsync = ((descriptor: number, done: (error: NodeJS.ErrnoException | null) => void) => {
    synced.push(pathOf(descriptor));
    original(descriptor, done);
  }) as typeof fs.fsync;
  syncBuiltinESMExports();
  await using handle = await open("/dev/null");
  const prototype = Object.getPrototypeOf(handle) as FileHandle;
  const sync = Reflect.get(prototype, "sync") as (this: FileHandle) => Promise<void>;
  prototype.sync = function (this: FileHandle) {
    synced.push(pathOf(this.fd));
    return sync.call(this);
  };
});
after(() => directory[Symbol.asyncDispose]());

test("WAL that a restore puts outside of the data directory is on the disk before the link to it stands", async () => {
  const { moveWal } = await import("#src/restore/move-wal.js");
  const [data, outside] = [join(directory.path, "data"), join(directory.path, "volume", "wal")];
  await mkdir(join(data, "pg_wal", "archive_status"), { recursive: true });
  await writeFile(join(data, "pg_wal", "000000010000000000000001"), "wal");
  synced.length = 0;
  await moveWal(data, outside);
  const inside = ["000000010000000000000001", "archive_status"].map((name) => join(outside, name));
  for (const path of [...inside, outside, join(directory.path, "volume"), directory.path])
    assert.ok(synced.includes(path), `${path} is not among ${synced.join(" ")}`);
  assert.equal(await readlink(join(data, "pg_wal")), outside);
});

test("a standby that is told to pause is told so after a power failure too", async () => {
  const { LocalArchive } = await import("#src/archive/local-archive.js");
  const place = join(directory.path, "archive");
  await mkdir(place);
  const options = { partialDirectory: place, codec: "none", parallelFiles: 1 } as const;
  const archive = new LocalArchive({ directory: place, ...options });
  synced.length = 0;
  await archive.setFlag("PAUSE", true);
  assert.deepEqual(synced, [join(place, "PAUSE"), place]);
  synced.length = 0;
  await archive.setFlag("PAUSE", false);
  assert.deepEqual(synced, [place]);
});

test("the file that makes a server recover is on the disk, with its name", async () => {
  const { writeSignalFile } = await import("#src/restore/signal-file.js");
  const data = join(directory.path, "other");
  await mkdir(data);
  synced.length = 0;
  await writeSignalFile(data, "standby.signal");
  assert.deepEqual(synced, [join(data, "standby.signal"), data]);
});
