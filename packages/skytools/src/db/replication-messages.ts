/** Codes of the messages that a server sends on a replication connection.
 * Source: PostgreSQL manual, "Message Formats". */
export const serverMessage = {
  rowDescription: 0x54,
  dataRow: 0x44,
  commandComplete: 0x43,
  copyInResponse: 0x47,
  copyOutResponse: 0x48,
  copyBothResponse: 0x57,
  copyData: 0x64,
  copyDone: 0x63,
  error: 0x45,
  notice: 0x4e,
  ready: 0x5a,
} as const;

const headerBytes = 5;

/** Takes whole messages; the payload is only valid during the call. */
export type TakeMessage = (code: number, payload: Buffer) => void;

/** Cuts the bytes of a connection into whole messages, however they arrive. */
export class MessageSplitter {
  readonly #take: TakeMessage;
  #parts: Buffer[] = [];
  #have = 0;
  #wanted = headerBytes;

  constructor(take: TakeMessage) {
    this.#take = take;
  }

  push(chunk: Buffer): void {
    let rest = chunk;
    if (this.#have > 0) {
      rest = this.#completeCarried(chunk);
      if (this.#have > 0) return;
    }
    let at = 0;
    while (rest.length - at >= headerBytes) {
      const end = at + 1 + rest.readUInt32BE(at + 1);
      if (end > rest.length) break;
      this.#take(rest[at]!, rest.subarray(at + headerBytes, end));
      at = end;
    }
    if (at < rest.length) this.#carry(rest.subarray(at));
  }

  #carry(bytes: Buffer): void {
    this.#parts.push(bytes);
    this.#have += bytes.length;
    if (this.#wanted === headerBytes && this.#have >= headerBytes) {
      const head = this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts);
      this.#parts = [head];
      this.#wanted = 1 + head.readUInt32BE(1);
    }
  }

  /** Adds to the message that was begun; when that is complete it is taken.
   * @returns what follows it */
  #completeCarried(chunk: Buffer): Buffer {
    let at = 0;
    for (;;) {
      const taken = Math.min(this.#wanted - this.#have, chunk.length - at);
      this.#carry(chunk.subarray(at, at + taken));
      at += taken;
      if (this.#have < this.#wanted) {
        if (at === chunk.length) return chunk.subarray(at);
        continue;
      }
      const message = Buffer.concat(this.#parts, this.#have);
      this.#parts = [];
      this.#have = 0;
      this.#wanted = headerBytes;
      this.#take(message[0]!, message.subarray(headerBytes));
      return chunk.subarray(at);
    }
  }
}

/** The fields of an ErrorResponse or NoticeResponse by their one-letter codes. */
export function messageFields(payload: Buffer): Map<string, string> {
  const fields = payload.toString("utf8").split("\0");
  return new Map(fields.filter((field) => field !== "").map((field) => [field[0]!, field.slice(1)]));
}

/** Column names of a RowDescription. */
export function columnNames(payload: Buffer): string[] {
  const names: string[] = [];
  let at = 2;
  for (let column = payload.readUInt16BE(0); column > 0; column--) {
    const end = payload.indexOf(0, at);
    names.push(payload.toString("utf8", at, end));
    at = end + 1 + 18;
  }
  return names;
}

/** Values of a DataRow as text. */
export function rowValues(payload: Buffer): (string | null)[] {
  const values: (string | null)[] = [];
  let at = 2;
  for (let column = payload.readUInt16BE(0); column > 0; column--) {
    const length = payload.readInt32BE(at);
    at += 4;
    values.push(length < 0 ? null : payload.toString("utf8", at, at + length));
    at += Math.max(0, length);
  }
  return values;
}
