import assert from "node:assert/strict";
import { it } from "node:test";
import { SkytoolsError } from "@skytools/skytools";
import { type FuzzedParser, fuzzParser, fuzzRuns } from "@skytools/testbed";
import fc from "fast-check";
import { splitCodec } from "#src/archive/codec.js";
import { parseManifest } from "#src/backup/manifest.js";
import { isSetInfo } from "#src/backup/set-info.js";
import { parsePlace } from "#src/place/place.js";
import { parseStreamMessage } from "#src/receive/stream-message.js";
import { parseSynchronousNames } from "#src/standby/synchronous-names.js";
import { parseBackupLabel } from "#src/wal/backup-label.js";
import { parseLsn } from "#src/wal/lsn.js";
import { parseHistory } from "#src/wal/timeline-history.js";
import { WalError } from "#src/wal/wal-error.js";
import { readWalHeader } from "#src/wal/wal-header.js";
import { parseWalName } from "#src/wal/wal-name.js";

const isRefused = (error: unknown): boolean => error instanceof SkytoolsError;
const isWalError = (error: unknown): boolean => error instanceof WalError;
const walNames = [
  "000000010000000000000001",
  "00000002.history",
  "000000010000000000000001.00000028.backup",
  "000000010000000000000001.partial",
];
const manifest =
  '{ "PostgreSQL-Backup-Manifest-Version": 1,\n"Files": [{ "Path": "base/1/2", "Size": 3 }],\n"WAL-Ranges": [],\n"Manifest-Checksum": "00"}\n';

const setInfo =
  '{"id":"x","startLsn":"0/1","codec":"none","tablespaces":[{"oid":"16384","location":"/space"},null,{"oid":1,"location":[]}]}';

/** Every reader of this package for names, files of the archive and what servers send. */
const parsers: readonly FuzzedParser[] = [
  { name: "parseWalName", parse: parseWalName, samples: walNames },
  { name: "splitCodec", parse: splitCodec, samples: walNames.map((name) => `${name}.gz`) },
  { name: "parseLsn", parse: parseLsn, samples: ["16/B374D848", "0/0"], isRefusal: isRefused },
  {
    name: "parseBackupLabel",
    parse: parseBackupLabel,
    samples: [
      "START WAL LOCATION: 0/202000028 (file 000000010000000000000002)\n",
      "START WAL LOCATION: 0/2000028 (file 000000010000000000000002)\nSTART TIME: 2026-11-28\nLABEL: x\nSTART TIMELINE: 1\n",
    ],
  },
  {
    name: "parseHistory",
    parse: (text) => parseHistory(3, text),
    samples: [
      "1\t0/FFFFFFFFF\tx\n",
      "1\t0/3000000\tno recovery target specified\n\n2\t0/4000000\tx\n",
      "# c\n",
    ],
    isRefusal: isWalError,
  },
  {
    name: "parseManifest",
    parse: (text) => parseManifest(Buffer.from(text), "m"),
    samples: [manifest],
    isRefusal: isWalError,
  },
  {
    name: "isSetInfo",
    parse: (text) => {
      try {
        return isSetInfo(JSON.parse(text));
      } catch (error) {
        if (error instanceof SyntaxError) return undefined;
        throw error;
      }
    },
    samples: [setInfo, '{"tablespaces":[null]}', "[]", "null"],
  },
  { name: "parsePlace", parse: parsePlace, samples: ["me@db2:/path", "[::1]:/x", "/a:b"] },
  {
    name: "parseSynchronousNames",
    parse: parseSynchronousNames,
    samples: ['FIRST 1 (a, "b")', "a, b", "ANY 2 (*)"],
    isRefusal: isRefused,
  },
  {
    name: "parseStreamMessage",
    parse: (text) => parseStreamMessage(Buffer.from(text, "latin1")),
    samples: [`w${"\0".repeat(30)}`, `k${"\0".repeat(17)}`],
    isRefusal: isWalError,
  },
  {
    name: "readWalHeader",
    parse: (text) => readWalHeader(Buffer.from(text, "latin1")),
    samples: [`\x16\xd1\x02\0${"\0".repeat(36)}`],
  },
];

for (const parser of parsers) {
  it(`${parser.name} reads or refuses whatever comes, soon`, () => fuzzParser(parser));
}

it("whatever backup.json says, it is a set of a known form or none, and no error of ours", () => {
  const odd = fc.oneof(fc.constantFrom(null, true, 0, "", "x", "/x", "16384", [], {}), fc.jsonValue());
  const tablespaces = fc.oneof(fc.array(fc.oneof(odd, fc.record({ oid: odd, location: odd }))), odd);
  const info = fc.record(
    {
      id: fc.oneof(fc.constant("x"), odd),
      startLsn: fc.oneof(fc.constant("0/1"), odd),
      codec: fc.oneof(fc.constant("none"), odd),
      tablespaces,
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.oneof(info, odd), (value) => {
      if (!isSetInfo(value)) return;
      for (const each of value.tablespaces) {
        assert.match(each.oid, /^\d{1,10}$/);
        assert.match(each.location, /^\//);
      }
    }),
    fuzzRuns,
  );
});

it("a set whose list of tablespaces holds nothing is none", () => {
  const info = { id: "x", startLsn: "0/1", codec: "none" };
  assert.equal(isSetInfo({ ...info, tablespaces: [] }), true);
  for (const bad of [
    null,
    undefined,
    1,
    "x",
    [],
    { oid: "1" },
    { oid: "1", location: ["/x"] },
    { oid: "1", location: "/x\0" },
  ])
    assert.equal(isSetInfo({ ...info, tablespaces: [bad] }), false);
});
