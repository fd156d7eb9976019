import type { Socket } from "node:net";
import type pg from "pg";
import { headerBytes, messageCode } from "./copy-frames.ts";
import type { CopySubmittable } from "./session.ts";

const copyDone = Buffer.from([messageCode.copyDone, 0, 0, 0, 4]);

/** Several statements as one message of the simple protocol, in which each COPY ... FROM STDIN takes the next of the contents: the
 * server goes from statement to statement without waiting for us. The first that fails ends them all.
 * Source: PostgreSQL manual, "Simple Query" and "COPY Operations" in the protocol chapter. */
export class CopyScript implements CopySubmittable {
  readonly sql: string;
  /** command tags of the statements: `COPY 3`, `UPDATE 2` */
  readonly outcome: Promise<readonly string[]>;
  readonly #contents: readonly Buffer[];
  readonly #tags: string[] = [];
  #next = 0;
  #socket: Socket | undefined;
  #resolve!: (tags: readonly string[]) => void;
  #reject!: (error: Error) => void;

  constructor(sql: string, contents: readonly Buffer[]) {
    this.sql = sql;
    this.#contents = contents;
    this.outcome = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  submit(connection: pg.Connection): void {
    this.#socket = connection.stream as Socket;
    connection.query(this.sql);
  }

  handleCopyInResponse(connection: { sendCopyFail(reason: string): void }): void {
    const content = this.#contents[this.#next];
    this.#next += 1;
    if (content === undefined) connection.sendCopyFail("there are no data to copy from here");
    else this.#send(content);
  }

  #send(content: Buffer): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    const header = Buffer.allocUnsafe(headerBytes);
    header[0] = messageCode.copyData;
    header.writeUInt32BE(content.length + 4, 1);
    socket.cork();
    if (content.length > 0) {
      socket.write(header);
      socket.write(content);
    }
    socket.write(copyDone);
    socket.uncork();
  }

  handleCommandComplete(message: { text: string }): void {
    this.#tags.push(message.text);
  }

  handleReadyForQuery(): void {
    this.#resolve(this.#tags);
  }

  handleError(error: Error): void {
    this.#reject(error);
  }

  handleRowDescription(): void {}
  handleDataRow(): void {}
  handleEmptyQuery(): void {}
  handlePortalSuspended(): void {}
  handleCopyData(): void {}
}
