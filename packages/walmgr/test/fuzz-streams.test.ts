import assert from "node:assert/strict";
import { PassThrough, Readable } from "node:stream";
import { describe, it } from "node:test";
import { fuzzRuns } from "@skytools/testbed";
import fc from "fast-check";
import { type TarEntry, TarReader } from "#src/backup/tar-reader.js";
import { type Frame, FrameChannel } from "#src/remote/frame-channel.js";
import { WalError } from "#src/wal/wal-error.js";

const runs = fuzzRuns;

/** The bytes in pieces that end where the numbers say. */
function inPieces(bytes: Buffer, ends: readonly number[]): Buffer[] {
  const places = [...new Set(ends.map((end) => end % (bytes.length + 1)))].toSorted((a, b) => a - b);
  return [0, ...places].map((from, index) => bytes.subarray(from, places[index] ?? bytes.length));
}

const ends = fc.array(fc.nat(5000), { maxLength: 12 });

describe("frames between hosts", () => {
  const frame: fc.Arbitrary<Frame> = fc.oneof(
    fc
      .dictionary(fc.string(), fc.oneof(fc.string({ unit: "binary" }), fc.integer()))
      .map((message) => ({ kind: "message", message }) as const),
    fc.uint8Array({ maxLength: 600 }).map((data) => ({ kind: "data", data: Buffer.from(data) }) as const),
    fc.constant({ kind: "end" } as const),
  );

  async function readAll(pieces: readonly Buffer[]): Promise<Frame[]> {
    const channel = new FrameChannel(Readable.from(pieces), new PassThrough());
    const frames: Frame[] = [];
    for (;;) {
      const next = await channel.read();
      if (next === undefined) return frames;
      frames.push(next);
    }
  }

  async function written(frames: readonly Frame[]): Promise<Buffer> {
    const output = new PassThrough({ highWaterMark: 1 << 20 });
    const channel = new FrameChannel(Readable.from([]), output);
    for (const each of frames) {
      if (each.kind === "message") await channel.sendMessage(each.message);
      else if (each.kind === "data") await channel.sendData(each.data);
      else await channel.sendEnd();
    }
    output.end();
    return Buffer.concat(await output.toArray());
  }

  it("arrive as they were sent, in whatever pieces", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(frame, { maxLength: 8 }), ends, async (frames, cuts) => {
        const arrived = await readAll(inPieces(await written(frames), cuts));
        assert.equal(JSON.stringify(arrived), JSON.stringify(frames));
      }),
      runs,
    );
  });

  it("are refused in one way when they are cut or something else", async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((each) => Buffer.from(each)),
      fc
        .tuple(fc.nat(20), fc.constantFrom("J", "D", "E", "x"), fc.string({ maxLength: 20 }))
        .map(([length, code, content]) => {
          const header = Buffer.alloc(4);
          header.writeUInt32BE(length);
          return Buffer.concat([header, Buffer.from(code + content)]);
        }),
      fc.constantFrom("null", "[]", '"x"', "{", "").map((json) => {
        const header = Buffer.alloc(4);
        header.writeUInt32BE(json.length);
        return Buffer.concat([header, Buffer.from(`J${json}`)]);
      }),
    );
    await fc.assert(
      fc.asyncProperty(bytes, ends, async (text, cuts) => {
        try {
          for (const each of await readAll(inPieces(text, cuts)))
            if (each.kind === "message") assert.equal(typeof each.message, "object");
        } catch (error) {
          assert.ok(error instanceof WalError, String(error));
        }
      }),
      runs,
    );
  });
});

describe("a tar archive", () => {
  interface Header {
    readonly name: string;
    readonly size: string;
    readonly mode: string;
    readonly type: string;
    readonly prefix: string;
  }

  /** A header with a right checksum, whatever is in it. */
  function tarHeader({ name, size, mode, type, prefix }: Header): Buffer {
    const header = Buffer.alloc(512);
    header.write(name, 0, 100, "latin1");
    header.write(mode, 100, 8, "latin1");
    header.write(size, 124, 12, "latin1");
    header.write("00000000000", 136, 12);
    header.write(type, 156, 1, "latin1");
    header.write(prefix, 345, 155, "latin1");
    header.fill(" ", 148, 156);
    header.write(
      `${header
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, "0")}\0 `,
      148,
    );
    return header;
  }

  function read(pieces: readonly Buffer[]): { entry: TarEntry; bytes: number }[] {
    const entries: { entry: TarEntry; bytes: number }[] = [];
    const reader = new TarReader("a.tar", {
      begin: (entry) => entries.push({ entry, bytes: 0 }),
      data: (chunk) => {
        entries.at(-1)!.bytes += chunk.length;
      },
      end: () => {},
    });
    for (const piece of pieces) reader.write(piece);
    reader.finish();
    return entries;
  }

  const odd = fc.oneof(
    fc.constantFrom(
      "",
      "0",
      "00000000012",
      "7777",
      "-1",
      "9",
      "1e9",
      "0x10",
      " 12",
      "\x80\0\0\0\0\0\0\0\0\0\0\x05",
    ),
    fc.constantFrom("\xff".repeat(12), `\x80${"\xff".repeat(11)}`),
    fc.string({ unit: "binary", maxLength: 12 }),
  );
  const header = fc.record<Header>({
    name: fc.oneof(
      fc.constantFrom("base/1/2", "./x", "..", "a/../../b", "/etc/passwd", "a\0b"),
      fc.string({ maxLength: 100 }),
    ),
    size: odd,
    mode: fc.oneof(fc.constant("0000600"), odd),
    type: fc.constantFrom("0", "\0", "5", "2", "1", "g"),
    prefix: fc.constantFrom("", "..", "a/b", "/"),
  });

  it("never has an entry outside its directory, and each has all of its bytes", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(header, fc.nat(3)), { maxLength: 4 }), ends, (parts, cuts) => {
        const bytes = Buffer.concat(
          parts.flatMap(([each, blocks]) => [tarHeader(each), Buffer.alloc(512 * blocks, "x")]),
        );
        try {
          for (const { entry, bytes: taken } of read(inPieces(bytes, cuts))) {
            assert.doesNotMatch(entry.path, /^\/|(^|\/)\.\.(\/|$)|\0/);
            assert.ok(entry.sizeBytes >= 0 && Number.isSafeInteger(entry.sizeBytes), String(entry.sizeBytes));
            assert.equal(taken, entry.kind === "file" ? entry.sizeBytes : 0);
          }
        } catch (error) {
          assert.ok(error instanceof WalError, String(error));
        }
      }),
      runs,
    );
  });

  it("with a size that is no number is refused", () => {
    for (const size of ["9", "-1", "1x", "\xff".repeat(12)]) {
      const bytes = tarHeader({ name: "a", size, mode: "0600", type: "0", prefix: "" });
      assert.throws(() => read([bytes, Buffer.alloc(512)]), /a\.tar is damaged: a header has a wrong number/);
    }
  });

  it("of an entry above 8 GB is read", () => {
    const size = "\x80\0\0\0\0\0\0\x02\0\0\0\0";
    const seen: number[] = [];
    const reader = new TarReader("a.tar", {
      begin: (e) => seen.push(e.sizeBytes),
      data: () => {},
      end: () => {},
    });
    reader.write(tarHeader({ name: "a", size, mode: "0600", type: "0", prefix: "" }));
    assert.deepEqual(seen, [2 ** 33]);
  });
});
