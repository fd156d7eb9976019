import type { Readable, Writable } from "node:stream";
import { WalError } from "../wal/wal-error.ts";

/** A JSON message, a piece of data, or the end of the data. */
export type Frame =
  | { readonly kind: "message"; readonly message: Record<string, unknown> }
  | { readonly kind: "data"; readonly data: Buffer }
  | { readonly kind: "end" };

const codes = { message: 0x4a, data: 0x44, end: 0x45 } as const;
const headerBytes = 5;
const longestFrame = 8 << 20;

/** Frames over a pair of byte streams: four bytes of length, one of kind, the content. */
export class FrameChannel {
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #output: Writable;
  #buffer: Buffer = Buffer.alloc(0);

  constructor(input: Readable, output: Writable) {
    this.#chunks = input[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    this.#output = output;
    // Whoever reads or sends next notices that the other side is gone.
    output.on("error", () => {});
  }

  /** @returns undefined at the end of the input
   * @throws WalError when the input is cut in the middle of a frame or is none */
  async read(): Promise<Frame | undefined> {
    if (!(await this.#fill(headerBytes))) {
      if (this.#buffer.length === 0) return undefined;
      throw cut();
    }
    const length = this.#buffer.readUInt32BE(0);
    const code = this.#buffer[4];
    if (length > longestFrame) throw noFrame(this.#buffer);
    if (!(await this.#fill(headerBytes + length))) throw cut();
    const content = this.#buffer.subarray(headerBytes, headerBytes + length);
    this.#buffer = this.#buffer.subarray(headerBytes + length);
    if (code === codes.data) return { kind: "data", data: content };
    if (code === codes.end) return { kind: "end" };
    const message = code === codes.message ? jsonObject(content) : undefined;
    if (message === undefined) throw noFrame(content);
    return { kind: "message", message };
  }

  async #fill(bytes: number): Promise<boolean> {
    if (this.#buffer.length >= bytes) return true;
    const parts = [this.#buffer];
    let have = this.#buffer.length;
    while (have < bytes) {
      const next = await this.#chunks.next();
      if (next.done === true) break;
      parts.push(next.value);
      have += next.value.length;
    }
    this.#buffer = Buffer.concat(parts, have);
    return have >= bytes;
  }

  /** The pieces of data up to their end. @throws WalError */
  async *data(): AsyncGenerator<Buffer, void> {
    for (;;) {
      const frame = await this.read();
      if (frame?.kind === "end") return;
      if (frame?.kind !== "data") throw cut();
      yield frame.data;
    }
  }

  sendMessage(message: Record<string, unknown>): Promise<void> {
    return this.#send(codes.message, Buffer.from(JSON.stringify(message)));
  }

  sendData(data: Buffer): Promise<void> {
    return this.#send(codes.data, data);
  }

  sendEnd(): Promise<void> {
    return this.#send(codes.end, Buffer.alloc(0));
  }

  async #send(code: number, content: Buffer): Promise<void> {
    const output = this.#output;
    const header = Buffer.allocUnsafe(headerBytes);
    header.writeUInt32BE(content.length, 0);
    header[4] = code;
    output.cork();
    output.write(header);
    const isRoomy = output.write(content);
    output.uncork();
    // Whoever sends a lot must not do so into nowhere.
    if (output.destroyed) throw cut();
    if (isRoomy) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        output.off("drain", done);
        output.off("close", done);
        resolve();
      };
      output.on("drain", done);
      output.on("close", done);
    });
  }
}

function jsonObject(content: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(content.toString("utf8"));
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function cut(): WalError {
  return new WalError("the connection was cut", { exitCode: 2, retry: "later" });
}

function noFrame(seen: Buffer): WalError {
  const text = seen
    .subarray(0, 60)
    .toString("latin1")
    .replace(/[^ -~]+/g, " ")
    .trim();
  return new WalError(`the other side answered something else: "${text}"`, {
    exitCode: 2,
    hint: "Is remote_walmgr_path right, and does the login shell there print nothing by itself?",
  });
}
