import { Socket, type SocketConstructorOpts, type TcpSocketConnectOpts } from "node:net";

const readBytes = 256 << 10;

/** A socket that reads into the same memory again and again. With gigabytes to receive, memory of its own for each read costs
 * more than all the work on what is in it. */
export class ReusingSocket extends Socket {
  /** Takes what arrives; the bytes are valid during the call only. Until somebody does, `data` events give copies. */
  onChunk: ((chunk: Buffer) => void) | undefined;

  static create(): ReusingSocket {
    const buffer = Buffer.allocUnsafeSlow(readBytes);
    const options: SocketConstructorOpts & Pick<TcpSocketConnectOpts, "onread"> = {
      onread: {
        buffer,
        callback: (bytes) => {
          const chunk = buffer.subarray(0, bytes);
          if (socket.onChunk === undefined) socket.emit("data", Buffer.from(chunk));
          else socket.onChunk(chunk);
          return true;
        },
      },
    };
    const socket = new ReusingSocket(options);
    return socket;
  }
}
