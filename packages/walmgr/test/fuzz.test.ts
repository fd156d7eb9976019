import assert from "node:assert/strict";
import { it } from "node:test";
import { SkytoolsError } from "@skytools/skytools";
import { type FuzzedParser, fuzzParser, fuzzRuns } from "@skytools/testbed";
import fc from "fast-check";
import { splitCodec } from "#src/archive/codec.js";
import { parseManifest } from "#src/backup/manifest.js";
import { isSetInfo } from "#src/backup/set-info.js";
import { foreignEntry } from "#src/backup/tar-reader.js";
import { parseInfo } from "#src/engine/pgbackrest.js";
import { parseReport } from "#src/engine/wal-g.js";
import { parsePlace } from "#src/place/place.js";
import { parseStreamMessage } from "#src/receive/stream-message.js";
import { remoteError } from "#src/remote/remote-session.js";
import { parseSynchronousNames } from "#src/standby/synchronous-names.js";
import { parseBackupLabel } from "#src/wal/backup-label.js";
import { parseLsn } from "#src/wal/lsn.js";
import { parseHistory } from "#src/wal/timeline-history.js";
import { WalError } from "#src/wal/wal-error.js";
import { readWalHeader } from "#src/wal/wal-header.js";
import { parseWalName } from "#src/wal/wal-name.js";
import { signedManifest } from "./fixture/signed-manifest.ts";

const isRefused = (error: unknown): boolean => error instanceof SkytoolsError;
const isWalError = (error: unknown): boolean => error instanceof WalError;
const walNames = [
  "000000010000000000000001",
  "00000002.history",
  "000000010000000000000001.00000028.backup",
  "000000010000000000000001.partial",
];
const manifest =
  '{ "PostgreSQL-Backup-Manifest-Version": 1,\n"Files": [{ "Path": "base/1/2", "Size": 3 }],\n"WAL-Ranges": [],\n';
const backRest =
  '[{"archive":[{"max":"000000010000000000000003"}],"backup":[{"info":{"size":3},"label":"20261128-040000F","timestamp":{"stop":1795838400},"type":"full"}],"db":[{"system-id":7713066226398902720}],"status":{"code":0,"message":"ok"}}]';
const walG =
  '[{"backup_name":"base_000000010000000000000002","finish_time":"2026-11-28T04:00:00Z","uncompressed_size":5,"system_identifier":7713066226398902720}]';

/** Undefined for what is no JSON. */
function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

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
    parse: (text) => parseManifest(signedManifest(text), "m"),
    samples: [manifest],
    isRefusal: isWalError,
  },
  {
    name: "parseInfo",
    parse: (text) => parseInfo(text, "s"),
    samples: [backRest, "[]"],
    isRefusal: isWalError,
  },
  { name: "parseReport", parse: parseReport, samples: [walG, "null"], isRefusal: isWalError },
  {
    name: "foreignEntry",
    parse: (text) => foreignEntry(json(text), "there"),
    samples: ['{"kind":"file","path":"base/1","sizeBytes":4,"mode":384,"modifiedSeconds":0,"linkTarget":""}'],
    isRefusal: isWalError,
  },
  {
    name: "remoteError",
    parse: (text) => remoteError({ error: json(text) }),
    samples: ['{"message":"is full","exitCode":2,"hint":"make room"}'],
  },
  {
    name: "isSetInfo",
    parse: (text) => isSetInfo(json(text)),
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

const anyJson = fc.oneof(fc.constantFrom(null, 0, -1, "x", [], {}), fc.jsonValue({ maxDepth: 2 }));

/** An object of which anything may be something else, or missing. */
function damaged(members: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<unknown> {
  const each = Object.entries(members).map(([name, good]) => [
    name,
    fc.oneof({ weight: 4, arbitrary: good }, anyJson),
  ]);
  return fc.record(Object.fromEntries(each) as Record<string, fc.Arbitrary<unknown>>, { requiredKeys: [] });
}

it("what engines report of their backups is read, or refused in one way", () => {
  const moment = fc.oneof(fc.constantFrom(0, 1795838400, 1e300, "2026-11-28T04:00:00Z", "soon"), anyJson);
  const backup = damaged({
    label: fc.constant("20261128-040000F"),
    backup_name: fc.constant("base_1"),
    type: fc.constant("full"),
    timestamp: damaged({ stop: moment }),
    info: damaged({ size: fc.nat() }),
    finish_time: moment,
    time: moment,
    uncompressed_size: fc.nat(),
  });
  const stanza = damaged({
    archive: fc.array(damaged({ max: fc.constant("000000010000000000000003") })),
    backup: fc.array(backup),
    status: damaged({ code: fc.nat(6), message: fc.constant("x"), lock: damaged({ backup: anyJson }) }),
  });
  for (const [of, parse] of [
    [stanza, (text: string) => parseInfo(text, "s")],
    [backup, parseReport],
  ] as const)
    fc.assert(
      fc.property(fc.array(of, { maxLength: 2 }), (list) => {
        try {
          for (const { stopTime, ageSeconds } of parse(JSON.stringify(list)).backups) {
            assert.ok(Number.isFinite(ageSeconds));
            assert.ok(Number.isFinite(Date.parse(stopTime)));
          }
        } catch (error) {
          assert.ok(error instanceof WalError && error.exitCode === 2, String(error));
        }
      }),
      fuzzRuns,
    );
});

it("the failure of another host never counts as success, whatever it says", () => {
  const said = fc.oneof(
    damaged({ message: fc.string(), exitCode: fc.integer(), hint: fc.string() }),
    anyJson,
  );
  fc.assert(
    fc.property(said, (error) => {
      const { exitCode, message } = remoteError({ error });
      assert.ok(exitCode > 0 && exitCode < 256 && message !== undefined);
    }),
    fuzzRuns,
  );
  assert.equal(remoteError({ error: { message: "done", exitCode: 0 } }).exitCode, 1);
});
