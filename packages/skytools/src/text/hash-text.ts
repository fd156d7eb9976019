const initial = 0x9e3779b9 + 3923095;

/** The server's hashtext(): partitioning by it decides which database a row belongs to, so every bit counts. Holds for text under
 * a deterministic collation, in a UTF-8 database.
 * @returns signed 32-bit number
 * Source: spec/framework.md 7.7 (hashtext_new); the hash is Bob Jenkins' lookup3 in little-endian order */
export function hashText(text: string): number {
  const bytes = Buffer.from(text, "utf8");
  const start = (initial + bytes.length) | 0;
  const state = { a: start, b: start, c: start };
  let at = 0;
  for (; bytes.length - at >= 12; at += 12) {
    state.a = (state.a + bytes.readInt32LE(at)) | 0;
    state.b = (state.b + bytes.readInt32LE(at + 4)) | 0;
    state.c = (state.c + bytes.readInt32LE(at + 8)) | 0;
    mix(state);
  }
  addTail(state, bytes.subarray(at));
  finish(state);
  return state.c;
}

interface State {
  a: number;
  b: number;
  c: number;
}

/** Up to 11 bytes; the lowest byte of `c` stays free, as if the length stood there. */
function addTail(state: State, tail: Buffer): void {
  const words = Buffer.alloc(12);
  tail.copy(words, 0, 0, 8);
  if (tail.length > 8) tail.copy(words, 9, 8);
  state.a = (state.a + words.readInt32LE(0)) | 0;
  state.b = (state.b + words.readInt32LE(4)) | 0;
  state.c = (state.c + words.readInt32LE(8)) | 0;
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function mix(state: State): void {
  let { a, b, c } = state;
  a = (a - c) ^ rotate(c, 4);
  c = (c + b) | 0;
  b = (b - a) ^ rotate(a, 6);
  a = (a + c) | 0;
  c = (c - b) ^ rotate(b, 8);
  b = (b + a) | 0;
  a = (a - c) ^ rotate(c, 16);
  c = (c + b) | 0;
  b = (b - a) ^ rotate(a, 19);
  a = (a + c) | 0;
  c = (c - b) ^ rotate(b, 4);
  b = (b + a) | 0;
  Object.assign(state, { a, b, c });
}

function finish(state: State): void {
  let { a, b, c } = state;
  c = ((c ^ b) - rotate(b, 14)) | 0;
  a = ((a ^ c) - rotate(c, 11)) | 0;
  b = ((b ^ a) - rotate(a, 25)) | 0;
  c = ((c ^ b) - rotate(b, 16)) | 0;
  a = ((a ^ c) - rotate(c, 4)) | 0;
  b = ((b ^ a) - rotate(a, 14)) | 0;
  c = ((c ^ b) - rotate(b, 24)) | 0;
  Object.assign(state, { a, b, c });
}
