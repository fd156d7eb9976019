/** Protocol message codes that matter while COPY runs.
 * Source: PostgreSQL manual, "Message Formats". */
export const messageCode = {
  copyData: 0x64,
  copyDone: 0x63,
  copyFail: 0x66,
  copyOutResponse: 0x48,
  error: 0x45,
  ready: 0x5a,
} as const;

/** Bytes of a message before its payload: code and length. */
export const headerBytes = 5;

/** Takes the rows out of the CopyData messages that a server sends during COPY OUT, however the messages are cut
 * into chunks. One message is one row, so this is the only loop that runs for each row: it moves bytes within the
 * chunk and makes no objects. */
export class CopyUnpacker {
  /** bytes of rows so far */
  totalBytes = 0;
  /** bytes of rows that the last unpack() found */
  unpackedBytes = 0;
  /** what the last message begun still lacks */
  #missing = 0;

  /** Moves the rows together, to `chunk[start]` and {@link unpackedBytes} long.
   * @returns offset of the first byte that belongs to no CopyData message with a complete header */
  unpack(chunk: Buffer, start: number): number {
    const length = chunk.length;
    let at = start;
    let end = start;
    let missing = this.#missing;
    for (;;) {
      const taken = Math.min(missing, length - at);
      if (taken > 0) {
        if (end < at) chunk.copyWithin(end, at, at + taken);
        end += taken;
        at += taken;
        missing -= taken;
      }
      if (length - at < headerBytes || chunk[at] !== messageCode.copyData) break;
      missing =
        ((chunk[at + 1]! << 24) | (chunk[at + 2]! << 16) | (chunk[at + 3]! << 8) | chunk[at + 4]!) - 4;
      at += headerBytes;
    }
    this.#missing = missing;
    this.unpackedBytes = end - start;
    this.totalBytes += end - start;
    return at;
  }
}
