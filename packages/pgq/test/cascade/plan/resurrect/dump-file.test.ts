import assert from "node:assert/strict";
import { lstatSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { SkytoolsError } from "@skytools/skytools";
import { type TemporaryDirectory, temporaryDirectory } from "@skytools/testbed";
import fc from "fast-check";
import { type DumpFile, writeDumpFile } from "#src/cascade/plan/resurrect/dump-file.js";
import type { LostEvent } from "#src/cascade/plan/resurrect/lost-events.js";
import { readDumpFile } from "#src/cascade/plan/resurrect/read-dump-file.js";

/** Also what JSON leaves as it is and other readers take for the end of a line. */
const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom("a\u2028b\u2029", "\r\n]", ",", "[", "\uFEFF", '\\"'),
);
const column = fc.option(text);
const lostEvent: fc.Arbitrary<LostEvent> = fc.record({
  event: fc.record({
    id: fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }),
    time: fc.constantFrom("2026-11-28 04:05:06.78+00", "2026-11-28 04:05:06+05:30"),
    txid: fc.bigInt({ min: 3n, max: 2n ** 63n - 1n }),
    retry: fc.constant(null),
    type: column,
    data: column,
    extra1: column,
    extra2: column,
    extra3: column,
    extra4: column,
  }),
  tickId: fc.bigInt({ min: 2n, max: 2n ** 40n }),
  previousTickId: fc.bigInt({ min: 1n, max: 2n ** 40n }),
});
const lostEvents = fc.array(lostEvent, { minLength: 1, maxLength: 5 });

async function* each(events: readonly LostEvent[]): AsyncGenerator<LostEvent> {
  yield* events;
}

async function readAll(path: string, expected: DumpFile | undefined) {
  const found = [];
  for await (const event of readDumpFile(path, expected)) found.push(event);
  return found;
}

describe("file of lost events", () => {
  let directory: TemporaryDirectory;
  let serial = 0;

  before(async () => {
    directory = await temporaryDirectory("dump-file");
  });
  after(() => directory[Symbol.asyncDispose]());

  const newPath = () => {
    serial += 1;
    return join(directory.path, `${serial}.json`);
  };

  it("is not written through a link that waits under the name of its draft", async () => {
    const path = newPath();
    const elsewhere = newPath();
    writeFileSync(elsewhere, "kept");
    symlinkSync(elsewhere, `${path}.part`);
    await writeDumpFile(path, each(fc.sample(lostEvents, 1)[0]!));
    assert.equal(readFileSync(elsewhere, "utf8"), "kept");
    assert.equal(lstatSync(path).isFile(), true);
    assert.equal(lstatSync(path).mode & 0o777, 0o600);
  });

  it("gives back what was written, whatever is in it", async () => {
    await fc.assert(
      fc.asyncProperty(lostEvents, async (events) => {
        const file = await writeDumpFile(newPath(), each(events));
        assert.equal(file.eventCount, events.length);
        const wanted = events.map(({ event }) => [
          event.type,
          event.data,
          event.extra1,
          event.extra2,
          event.extra3,
          event.extra4,
        ]);
        for (const expected of [file, undefined]) {
          const found = (await readAll(file.path, expected)).map((event) => [
            event.ev_type,
            event.ev_data,
            event.ev_extra1,
            event.ev_extra2,
            event.ev_extra3,
            event.ev_extra4,
          ]);
          assert.deepEqual(found, wanted);
        }
      }),
      { numRuns: 40 },
    );
  });

  it("is refused with one error when it is damaged in any way", async () => {
    const damage = fc.oneof(
      fc.record({ kind: fc.constant("cut" as const), at: fc.nat() }),
      fc.record({ kind: fc.constant("flip" as const), at: fc.nat(), bit: fc.nat({ max: 7 }) }),
      fc.record({ kind: fc.constant("foreign" as const), bytes: fc.uint8Array({ maxLength: 40 }) }),
    );
    await fc.assert(
      fc.asyncProperty(lostEvents, damage, async (events, how) => {
        const file = await writeDumpFile(newPath(), each(events));
        const bytes = readFileSync(file.path);
        if (how.kind === "cut") writeFileSync(file.path, bytes.subarray(0, how.at % bytes.length));
        else if (how.kind === "foreign") writeFileSync(file.path, how.bytes);
        else {
          bytes[how.at % bytes.length]! ^= 1 << how.bit;
          writeFileSync(file.path, bytes);
        }
        await assert.rejects(readAll(file.path, file), isDumpError);
      }),
      { numRuns: 80 },
    );
  });

  it("without a note, a file that is none is refused, and one that is cut", async () => {
    const isRefused = async (content: string, reason: RegExp) => {
      const path = newPath();
      writeFileSync(path, content);
      await assert.rejects(readAll(path, undefined), (error: unknown) => {
        assert.match(String(error), reason);
        return isDumpError(error);
      });
    };
    const file = await writeDumpFile(newPath(), each(fc.sample(lostEvent, { numRuns: 2, seed: 1 })));
    const whole = readFileSync(file.path, "utf8");
    await isRefused("", /it is empty/);
    await isRefused("[\n]\n", /line 2 is not an event/);
    await isRefused('[\n{"ev_type": "x"}\n]\n', /line 2 is not an event/);
    await isRefused("<html>", /line 1 does not belong there/);
    await isRefused(whole.slice(0, whole.lastIndexOf("]")), /it ends in the middle/);
    await isRefused(`${whole}${whole}`, /line 5 does not belong there/);
    renameSync(file.path, `${file.path}.moved`);
    await assert.rejects(readAll(file.path, file), /is not the file of the 2 lost events .*no such file/);
    await assert.rejects(readAll(directory.path, file), /it cannot be read \(EISDIR\)/);
  });
});

function isDumpError(error: unknown): boolean {
  return error instanceof SkytoolsError && error.code === "DUMP_FILE" && !error.message.includes("\n");
}
