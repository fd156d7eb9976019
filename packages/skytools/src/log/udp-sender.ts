import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";

/** Sends datagrams to one address. What cannot be sent is dropped; the first time it is said. */
export class UdpSender {
  readonly #host: string;
  readonly #port: number;
  readonly #complain: (message: string) => void;
  #socket: Socket | undefined;
  #pending = 0;
  #whenIdle: (() => void) | undefined;
  #hasComplained = false;

  constructor(host: string, port: number, complain: (message: string) => void) {
    this.#host = host;
    this.#port = port;
    this.#complain = complain;
  }

  send(bytes: Buffer): void {
    this.#pending++;
    this.#open().send(bytes, this.#port, this.#host, (error) => this.#sent(error));
  }

  /** Resolves when nothing is on its way to the network any more. */
  async close(): Promise<void> {
    if (this.#pending > 0) {
      await new Promise<void>((resolve) => {
        this.#whenIdle = resolve;
      });
    }
    this.#socket?.close();
    this.#socket = undefined;
  }

  #open(): Socket {
    if (this.#socket !== undefined) return this.#socket;
    const socket = createSocket(isIPv6(this.#host) ? "udp6" : "udp4");
    socket.on("error", (error) => {
      this.#complainOnce(error);
      if (this.#socket === socket) this.#socket = undefined;
      socket.close();
    });
    socket.unref();
    this.#socket = socket;
    return socket;
  }

  #sent(error: Error | null): void {
    this.#pending--;
    if (error !== null) this.#complainOnce(error);
    if (this.#pending === 0) this.#whenIdle?.();
  }

  #complainOnce(error: Error): void {
    if (this.#hasComplained) return;
    this.#hasComplained = true;
    this.#complain(`cannot send log records to ${this.#host}:${this.#port}: ${error.message}`);
  }
}
