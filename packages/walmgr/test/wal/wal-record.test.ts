import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32c } from "#src/wal/crc32c.js";
import { isRecordAt, type WalPages } from "#src/wal/wal-record.js";

const blockSize = 8192;
const segmentSize = 1 << 20;
const start = 0x5000000n;

/** Pages with a record that begins at an offset of the first one, laid out as the server does. */
function pagesWith(at: number, dataBytes: number, pageCount = 3): { pages: WalPages; lsn: bigint } {
  const bytes = Buffer.alloc(blockSize * pageCount);
  for (let page = 0; page < bytes.length; page += blockSize) {
    bytes.writeUInt16LE(0xd118, page);
    bytes.writeBigUInt64LE(start + BigInt(page), page + 8);
  }
  const record = Buffer.alloc(24 + dataBytes, 7);
  record.writeUInt32LE(record.length, 0);
  record.writeBigUInt64LE(start - 100n, 8);
  record.writeUInt32LE(crc32c(record.subarray(0, 20), crc32c(record.subarray(24))), 20);
  let to = at;
  for (const byte of record) {
    if (to % blockSize === 0) to += to === 0 ? 40 : 24;
    bytes[to++] = byte;
  }
  return { pages: { start, bytes, segmentSize, blockSize }, lsn: start + BigInt(at) };
}

test("a record is found in a page, at its beginning, and across pages", () => {
  for (const [at, dataBytes] of [
    [2000, 100],
    [0, 100],
    [blockSize, 5],
    [blockSize - 8, 100],
    [4000, 2 * blockSize],
  ] as const) {
    const { pages, lsn } = pagesWith(at, dataBytes);
    assert.equal(isRecordAt(pages, lsn), true, `${dataBytes} bytes at ${at}`);
  }
});

test("what is cut, damaged, of an older segment, or zeros is no record", () => {
  const { pages, lsn } = pagesWith(4000, 2 * blockSize);
  assert.equal(isRecordAt(pages, lsn + 8n), false);
  assert.equal(isRecordAt({ ...pages, bytes: pages.bytes.subarray(0, 2 * blockSize) }, lsn), false, "cut");
  const damaged = Buffer.from(pages.bytes);
  damaged[5000] = 8;
  assert.equal(isRecordAt({ ...pages, bytes: damaged }, lsn), false, "damaged");
  const recycled = Buffer.from(pages.bytes);
  recycled.writeBigUInt64LE(start - 77n, blockSize + 8);
  assert.equal(isRecordAt({ ...pages, bytes: recycled }, lsn), false, "a page that was not written again");
  assert.equal(isRecordAt({ ...pages, bytes: Buffer.alloc(blockSize) }, start + 40n), false, "zeros");
});
