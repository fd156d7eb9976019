import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { memoryLog, type TemporaryDirectory, temporaryDirectory } from "@skytools/testbed";
import { LocalArchive } from "#src/archive/local-archive.js";
import { localSource } from "#src/archive/local-source.js";
import { settleReceived } from "#src/receive/kept-segment.js";
import { testSegmentSize, walFile } from "../fixture/wal-file.js";

const segment = "000000010000000000000005";
const whole = walFile(segment);
const other = walFile(segment);
/** Received up to its middle. */
const begun = Buffer.concat([whole.subarray(0, testSegmentSize / 2), Buffer.alloc(testSegmentSize / 2)]);

describe("what a receiver has left of a segment that the archive has", () => {
  let directory: TemporaryDirectory;
  let archive: LocalArchive;
  let stored: string;
  let partials: string;

  before(async () => {
    directory = await temporaryDirectory("kept-segment");
  });
  after(() => directory[Symbol.asyncDispose]());
  beforeEach(async () => {
    const root = await mkdtemp(join(directory.path, "case-"));
    partials = join(root, "partial");
    await mkdir(partials);
    await mkdir(join(root, "complete"));
    archive = new LocalArchive({
      directory: join(root, "complete"),
      partialDirectory: partials,
      codec: "none",
      parallelFiles: 1,
    });
    stored = join(root, "complete", segment);
  });

  async function archiveHas(content: Buffer): Promise<void> {
    const path = join(directory.path, "finished");
    await writeFile(path, content);
    assert.equal((await archive.store([await localSource(segment, path)])).failure, undefined);
  }

  /** @returns what is there afterwards */
  async function settled(name: string, content: Buffer): Promise<string[]> {
    await writeFile(join(partials, name), content);
    await settleReceived(archive, partials, memoryLog());
    const names = await readdir(partials);
    for (const each of names) assert.deepEqual(await readFile(join(partials, each)), content);
    return names;
  }

  for (const [what, content] of [
    ["all", whole],
    ["a beginning", begun],
  ] as const) {
    it(`goes when the archive has the same: ${what} of it`, async () => {
      await archiveHas(whole);
      assert.deepEqual(await settled(`${segment}.partial`, content), []);
      assert.deepEqual(await settled(`${segment}.kept`, content), []);
    });

    it(`stays when the archive has other content, also when that is looked at again: ${what} of it`, async () => {
      await archiveHas(other);
      assert.deepEqual(await settled(`${segment}.partial`, content), [`${segment}.partial.kept`]);
      assert.deepEqual(await settled(`${segment}.partial.kept`, content), [`${segment}.partial.kept`]);
    });
  }

  it("stays when the archive's copy does not match its checksum, and goes when that is whole again", async () => {
    await archiveHas(whole);
    const damaged = Buffer.from(whole);
    damaged[testSegmentSize - 1]! ^= 1;
    await writeFile(stored, damaged);
    assert.deepEqual(await settled(`${segment}.partial`, whole), [`${segment}.partial.kept`]);
    await writeFile(stored, whole);
    assert.deepEqual(await settled(`${segment}.partial.kept`, whole), []);
  });

  it("is archived once the archive's copy was moved away, when it is known to be whole", async () => {
    await archiveHas(other);
    assert.deepEqual(await settled(`${segment}.kept`, whole), [`${segment}.kept`]);
    await rm(stored);
    assert.deepEqual(await settled(`${segment}.partial.kept`, whole), [`${segment}.partial.kept`]);
    assert.deepEqual(await readFile(stored), whole);
  });

  it("does not take the place of another one that was kept", async () => {
    await archiveHas(other);
    await settled(`${segment}.partial`, whole);
    await writeFile(join(partials, `${segment}.partial`), begun);
    await settleReceived(archive, partials, memoryLog());
    assert.deepEqual(await readFile(join(partials, `${segment}.partial.kept`)), whole);
    assert.deepEqual(await readFile(join(partials, `${segment}.partial.kept.2`)), begun);
  });
});
