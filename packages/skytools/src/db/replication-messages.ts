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

/** Takes whole messages. A payload may be kept, unless its bytes were borrowed. */
export type TakeMessage = (code: number, payload: Buffer) => void;

/** Takes CopyData messages that arrive in several chunks, piece by piece instead of put together. */
export interface CopyPieces {
  /** asked when such a message begins */
  isWanted(): boolean;
  take(piece: Buffer, isFirst: boolean, isLast: boolean): void;
}

/** Cuts the bytes of a connection into messages, however they arrive. */
export class MessageSplitter {
  readonly #take: TakeMessage;
  readonly #pieces: CopyPieces | undefined;
  #parts: Buffer[] = [];
  #have = 0;
  #wanted = headerBytes;
  /** of the message that is given piece by piece */
  #missing = 0;
  #isFirstPiece = false;
  #isBorrowed = false;

  constructor(take: TakeMessage, pieces?: CopyPieces) {
    this.#take = take;
    this.#pieces = pieces;
  }

  /** @throws Error for a message that is too short to be one
   * @param isBorrowed the bytes are valid during the call only: what is given on, too */
  push(chunk: Buffer, isBorrowed = false): void {
    this.#isBorrowed = isBorrowed;
    let at = 0;
    while (at < chunk.length) {
      if (this.#missing > 0) at = this.#takePiece(chunk, at);
      else if (this.#have > 0) at = this.#addToCarried(chunk, at);
      else at = this.#takeWhole(chunk, at);
    }
  }

  #takeWhole(chunk: Buffer, begin: number): number {
    let at = begin;
    while (chunk.length - at >= headerBytes) {
      const end = at + 1 + messageLength(chunk, at);
      if (end > chunk.length) break;
      this.#take(chunk[at]!, chunk.subarray(at + headerBytes, end));
      at = end;
    }
    return at === chunk.length ? at : this.#addToCarried(chunk, at);
  }

  /** Adds to the message that was begun: first its header, which tells how long it is and whether it goes on in pieces. */
  #addToCarried(chunk: Buffer, at: number): number {
    const end = Math.min(at + this.#wanted - this.#have, chunk.length);
    const part = chunk.subarray(at, end);
    this.#parts.push(this.#isBorrowed ? Buffer.from(part) : part);
    this.#have += end - at;
    if (this.#have < this.#wanted) return end;
    const bytes = this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts, this.#have);
    this.#parts = [bytes];
    if (this.#have === headerBytes) this.#beginMessage(bytes);
    else this.#endMessage(bytes);
    return end;
  }

  #beginMessage(header: Buffer): void {
    this.#wanted = 1 + messageLength(header, 0);
    if (this.#wanted === headerBytes) this.#endMessage(header);
    else if (header[0] === serverMessage.copyData && this.#pieces?.isWanted() === true) {
      this.#missing = this.#wanted - headerBytes;
      this.#isFirstPiece = true;
      this.#forget();
    }
  }

  #endMessage(bytes: Buffer): void {
    this.#forget();
    this.#take(bytes[0]!, bytes.subarray(headerBytes));
  }

  #forget(): void {
    this.#parts = [];
    this.#have = 0;
    this.#wanted = headerBytes;
  }

  #takePiece(chunk: Buffer, at: number): number {
    const end = Math.min(at + this.#missing, chunk.length);
    this.#missing -= end - at;
    const isFirst = this.#isFirstPiece;
    this.#isFirstPiece = false;
    this.#pieces?.take(chunk.subarray(at, end), isFirst, this.#missing === 0);
    return end;
  }
}

/** What a header says, which counts itself. @throws Error for less than that: no message would ever come to its end */
function messageLength(header: Buffer, at: number): number {
  const length = header.readUInt32BE(at + 1);
  if (length < headerBytes - 1) throw new Error(`the server sent a message of length ${length}`);
  return length;
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
