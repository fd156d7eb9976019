import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { WalError } from "../wal/wal-error.ts";
import { type Frame, FrameChannel } from "./frame-channel.ts";
import { lastLine, type RemoteHost, sshTrouble, startRemote } from "./remote-program.ts";

/** Raised when the two sides would not understand each other. */
export const protocolVersion = 3;

/** A walmgr on another host that answers requests, one after the other, until it is closed. */
export class RemoteSession {
  readonly host: string;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #channel: FrameChannel;
  readonly #ended: Promise<string>;
  readonly #timeoutMs: number;
  /** who is to be told of the end, which comes late: a promise would keep everything that ever waited for it */
  readonly #waiting = new Set<(reason: string) => void>();
  #endReason: string | undefined;
  #stderr = "";
  #isClosed = false;

  private constructor(remote: RemoteHost) {
    this.host = remote.host;
    this.#timeoutMs = remote.timeoutSeconds * 1000;
    this.#child = startRemote(remote, ["xserve"]);
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-4000);
    });
    this.#ended = new Promise((resolve) => {
      this.#child.once("error", () => resolve("could not be started"));
      this.#child.once("close", (code, signal) =>
        resolve(lastLine(this.#stderr) || `ended (${signal ?? code})`),
      );
    });
    void this.#ended.then((reason) => {
      this.#endReason = reason;
      for (const tell of this.#waiting) tell(reason);
    });
    this.#channel = new FrameChannel(this.#child.stdout, this.#child.stdin);
  }

  /** @throws WalError exit code 2 when the host cannot be reached */
  static async open(remote: RemoteHost): Promise<RemoteSession> {
    const session = new RemoteSession(remote);
    const hello = await session.#receiveMessage();
    if (hello.protocol !== protocolVersion) {
      session.close();
      throw new WalError(
        `walmgr on ${remote.host} speaks protocol ${String(hello.protocol)}, this one ${protocolVersion}`,
        { hint: "Install the same version on both hosts." },
      );
    }
    return session;
  }

  /** Sends a request, with data when there is some, and waits for the answer.
   * @throws WalError as the other side threw it, or exit code 2 when the way there is in trouble */
  async call<Answer = Record<string, unknown>>(
    request: Record<string, unknown>,
    data?: AsyncIterable<Buffer>,
  ): Promise<Answer> {
    await this.#guard(this.#channel.sendMessage(request));
    if (data !== undefined) {
      for await (const chunk of data) await this.sendData(chunk);
      await this.#guard(this.#channel.sendEnd());
    }
    return this.answer<Answer>();
  }

  /** For a request whose data come in their own time: data, `sendEnd`, then `answer`. */
  async begin(request: Record<string, unknown>): Promise<void> {
    await this.#guard(this.#channel.sendMessage(request));
  }

  async sendData(chunk: Buffer): Promise<void> {
    await this.#guard(this.#channel.sendData(chunk));
  }

  async sendEnd(): Promise<void> {
    await this.#guard(this.#channel.sendEnd());
  }

  async answer<Answer>(): Promise<Answer> {
    const message = await this.#receiveMessage();
    return message.result as Answer;
  }

  /** The data that follow an answer. @throws WalError, also one that the other side met at the end */
  async *receiveData(): AsyncGenerator<Buffer, void> {
    for (;;) {
      const frame = await this.#receive();
      if (frame.kind === "end") return;
      if (frame.kind === "message") throw remoteError(frame.message);
      yield frame.data;
    }
  }

  async #receiveMessage(): Promise<Record<string, unknown>> {
    const frame = await this.#receive();
    if (frame.kind !== "message") throw sshTrouble(this.host, "answered out of order");
    if (frame.message.error !== undefined) throw remoteError(frame.message);
    return frame.message;
  }

  async #receive(): Promise<Frame> {
    const frame = await this.#guard(this.#channel.read());
    if (frame !== undefined) return frame;
    throw sshTrouble(this.host, await this.#ended);
  }

  /** Whoever waits must not wait for ever: a connection can hang without breaking. */
  async #guard<T>(work: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        this.#child.kill("SIGKILL");
        reject(sshTrouble(this.host, `no answer for ${this.#timeoutMs / 1000} s`));
      }, this.#timeoutMs);
    });
    let onEnd: (reason: string) => void = () => {};
    const gone = new Promise<never>((_resolve, reject) => {
      onEnd = (reason) => {
        // What was sent before the end may still lie in the pipe; a reader sees it, and then the end.
        if (this.#child.stdout.readableEnded) reject(sshTrouble(this.host, reason));
      };
    });
    gone.catch(() => undefined);
    this.#waiting.add(onEnd);
    const known = this.#endReason;
    if (known !== undefined) queueMicrotask(() => onEnd(known));
    try {
      return await Promise.race([work, timeout, gone]);
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(onEnd);
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#child.stdin.end();
    const impatience = setTimeout(() => this.#child.kill("SIGKILL"), 5000);
    impatience.unref();
    void this.#ended.then(() => clearTimeout(impatience));
  }
}

/** What the other side says went wrong. A code that would count as success is none. */
export function remoteError({ error }: Record<string, unknown>): WalError {
  const { message, exitCode, hint }: Record<string, unknown> =
    typeof error === "object" && error !== null ? { ...error } : {};
  const isCode = typeof exitCode === "number" && Number.isInteger(exitCode) && exitCode > 0 && exitCode < 256;
  return new WalError(typeof message === "string" ? message : "the other side failed and does not say why", {
    exitCode: isCode ? exitCode : undefined,
    hint: typeof hint === "string" ? hint : undefined,
  });
}
