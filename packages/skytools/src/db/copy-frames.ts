/** Protocol message codes that matter while COPY runs.
 * Source: PostgreSQL manual, "Message Formats". */
export const messageCode = {
  copyData: 0x64,
  copyDone: 0x63,
  copyFail: 0x66,
  error: 0x45,
  ready: 0x5a,
} as const;

/** Bytes of a message before its payload: code and length. */
export const headerBytes = 5;

/** Walks over the CopyData messages that a server sends during COPY OUT, however they are cut into chunks.
 * CopyData is framed alike in both directions, so whole chunks can be passed on without touching a row. */
export class CopyFrameScanner {
  /** CopyData messages begun, one a row in COPY OUT */
  messages = 0;
  /** payload bytes passed */
  payloadBytes = 0;
  #missing = 0;

  /** bytes that the last message begun still lacks */
  get missingBytes(): number {
    return this.#missing;
  }

  /** Advances from `start` to the first byte that does not belong to a CopyData message with a complete
   * header. With `payload`, the payloads are copied there, from `payloadStart` on, without their headers. */
  scan(chunk: Buffer, start: number, payload?: Buffer): number {
    const length = chunk.length;
    let at = start;
    let written = 0;
    let missing = this.#missing;
    let messages = 0;
    for (;;) {
      const taken = Math.min(missing, length - at);
      if (payload !== undefined && taken > 0) chunk.copy(payload, written, at, at + taken);
      written += taken;
      at += taken;
      missing -= taken;
      if (length - at < headerBytes || chunk[at] !== messageCode.copyData) break;
      missing =
        ((chunk[at + 1]! << 24) | (chunk[at + 2]! << 16) | (chunk[at + 3]! << 8) | chunk[at + 4]!) - 4;
      at += headerBytes;
      messages++;
    }
    this.#missing = missing;
    this.messages += messages;
    this.payloadBytes += written;
    return at;
  }
}
