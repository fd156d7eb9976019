import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { test } from "node:test";
import type { WalSource } from "#src/archive/archive.js";
import type { Codec } from "#src/archive/codec.js";
import { LocalArchive } from "#src/archive/local-archive.js";
import { headBytes } from "#src/archive/wal-check.js";
import { walFile } from "../fixture/wal-file.js";

const names = [1, 2, 3].map((n) => `00000001000000000000000${n}`);

class Place implements AsyncDisposable {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async create(): Promise<Place> {
    return new Place(await mkdtemp(join(tmpdir(), "skyt-store-")));
  }

  archive(codec: Codec): LocalArchive {
    const { directory } = this;
    return new LocalArchive({ directory, partialDirectory: directory, codec, parallelFiles: 3 });
  }

  async segments(): Promise<string[]> {
    return (await readdir(this.directory)).filter((name) => /^[0-9A-F]{24}(\.gz)?$/.test(name)).sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.directory, { recursive: true });
  }
}

/** @param before runs when the content is asked for */
function source(name: string, content: Buffer, before: () => Promise<void> = async () => {}): WalSource {
  const pieces = async function* () {
    await before();
    yield content;
  };
  return {
    name,
    sizeBytes: walFile(name).length,
    head: content.subarray(0, headBytes),
    open: () => Readable.from(pieces(), { objectMode: false }),
  };
}

test("where a segment of a batch fails, none of those behind it is left in the archive", async () => {
  await using place = await Place.create();
  const sources = names.map((name) => source(name, walFile(name)));
  sources[1] = source(names[1]!, walFile(names[1]!).subarray(0, 600_000));
  const { stored, failure } = await place.archive("none").store(sources);
  assert.match(String(failure), /changed while it was read: 600000 of 1048576 bytes/);
  assert.deepEqual(
    stored.map(({ name }) => name),
    [names[0]],
  );
  assert.deepEqual(await place.segments(), [names[0]]);
  assert.deepEqual(
    (await readdir(place.directory)).filter((name) => name.endsWith(".tmp")),
    [],
  );
});

for (const [slow, quick] of [
  ["gzip", "none"],
  ["none", "gzip"],
] as const) {
  test(`a segment that another process stores as ${quick} while it is written as ${slow} is compared with that`, async () => {
    await using place = await Place.create();
    const name = names[0]!;
    const storeQuickly = async () => {
      const { failure } = await place.archive(quick).store([source(name, walFile(name, { fill: 1 }))]);
      assert.equal(failure, undefined);
    };
    const other = await place.archive(slow).store([source(name, walFile(name, { fill: 2 }), storeQuickly)]);
    assert.match(String(other.failure), /holds other content under the name/);
    assert.deepEqual(await place.segments(), [quick === "gzip" ? `${name}.gz` : name]);
    const same = await place.archive(slow).store([source(name, walFile(name, { fill: 1 }))]);
    assert.deepEqual(same, { stored: [{ name, isNew: false }], failure: undefined });
  });
}
