import assert from "node:assert/strict";
import { test } from "node:test";
import { fuzzRuns } from "@skytools/testbed";
import fc from "fast-check";
import { parseManifest } from "#src/backup/manifest.js";
import { WalError } from "#src/wal/wal-error.js";
import { signedManifest } from "../fixture/signed-manifest.ts";

const file = fc.record({
  path: fc.array(fc.string({ unit: "binary", minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 3 }),
  size: fc.nat({ max: 2 ** 40 }),
  isEncoded: fc.boolean(),
  checksum: fc.option(fc.stringMatching(/^[0-9a-f]{8}$/), { nil: undefined }),
});

test("a manifest is read as it was written, whatever files are called", () => {
  fc.assert(
    fc.property(fc.array(file), (drawn) => {
      const files = drawn
        .map((each) => ({ ...each, path: each.path.join("/") }))
        .filter(({ path }) => !/\0|^\/|(?:^|\/)\.{0,2}(?:\/|$)/.test(path));
      const listed = files.map(({ path, size, isEncoded, checksum }) => ({
        ...(isEncoded ? { "Encoded-Path": Buffer.from(path).toString("hex") } : { Path: path }),
        Size: size,
        ...(checksum === undefined ? {} : { "Checksum-Algorithm": "CRC32C", Checksum: checksum }),
      }));
      const begin = `{ "PostgreSQL-Backup-Manifest-Version": 2,\n"System-Identifier": 7713066226398902720,\n"Files": ${JSON.stringify(listed)},\n"WAL-Ranges": [],\n`;
      const found = parseManifest(signedManifest(begin), "m");
      const expected = files.map(({ path, size, checksum }) => ({
        path,
        sizeBytes: size,
        checksum: checksum === undefined ? undefined : { algorithm: "CRC32C", hex: checksum },
      }));
      assert.deepEqual(found.files, new Map(expected.map((each) => [each.path, each])));
      assert.equal(found.systemIdentifier, "7713066226398902720");
    }),
    fuzzRuns,
  );
});

test("a manifest of another form is refused, although its checksum is right", () => {
  for (const begin of [
    '{"Files": [],',
    '{"WAL-Ranges": [],',
    '{"Files": {}, "WAL-Ranges": [],',
    '{"Files": [null], "WAL-Ranges": [],',
    '{"Files": [{"Path": ["a"], "Size": 1}], "WAL-Ranges": [],',
    '{"Files": [{"Path": "a", "Size": "1"}], "WAL-Ranges": [],',
    '{"Files": [{"Path": "a", "Size": -1}], "WAL-Ranges": [],',
    '{"Files": [{"Size": 1}], "WAL-Ranges": [],',
    '{"Files": [{"Path": "a", "Size": 1, "Checksum-Algorithm": 1, "Checksum": "x"}], "WAL-Ranges": [],',
    '{"Files": [], "WAL-Ranges": [{"Timeline": "1", "Start-LSN": "0/1", "End-LSN": "0/2"}],',
  ])
    assert.throws(() => parseManifest(signedManifest(begin), "m"), WalError, begin);
});
