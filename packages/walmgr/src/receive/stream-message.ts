/** What a server sends while it streams WAL.
 * Source: PostgreSQL manual, "Streaming Replication Protocol", START_REPLICATION */
export type StreamMessage =
  | { readonly kind: "wal"; readonly start: bigint; readonly serverEnd: bigint; readonly data: Buffer }
  | { readonly kind: "keepalive"; readonly serverEnd: bigint; readonly wantsReply: boolean };

/** @returns undefined for a message of another kind, and for one that is cut */
export function parseStreamMessage(payload: Buffer): StreamMessage | undefined {
  if (payload.length < (payload[0] === 0x77 ? 25 : 18)) return undefined;
  if (payload[0] === 0x77) {
    return {
      kind: "wal",
      start: payload.readBigUInt64BE(1),
      serverEnd: payload.readBigUInt64BE(9),
      data: payload.subarray(25),
    };
  }
  if (payload[0] !== 0x6b) return undefined;
  return { kind: "keepalive", serverEnd: payload.readBigUInt64BE(1), wantsReply: payload[17] === 1 };
}

const unixEpochToPostgres = 946_684_800_000;

/** How far we are: written and on the disk.
 * @param wantsReply asks the server for a sign of life */
export function statusUpdate(written: bigint, flushed: bigint, wantsReply: boolean): Buffer {
  const message = Buffer.alloc(34);
  message[0] = 0x72;
  message.writeBigUInt64BE(written, 1);
  message.writeBigUInt64BE(flushed, 9);
  message.writeBigUInt64BE(0n, 17);
  message.writeBigInt64BE(BigInt(Date.now() - unixEpochToPostgres) * 1000n, 25);
  message[33] = wantsReply ? 1 : 0;
  return message;
}
