import { type LogHandler, type LogOrigin, type LogRecord, levelNames } from "./record.ts";
import { formatRecord, type RecordFormat } from "./stream-handler.ts";
import { Syslog, syslogFacilities } from "./syslog.ts";
import { UdpSender } from "./udp-sender.ts";

export interface SyslogHandlerOptions {
  /** host and port of a server, or the path of a socket */
  readonly address: { readonly host: string; readonly port: number } | string;
  /** a key of {@link syslogFacilities} */
  readonly facility: string;
  /** host and service before the text */
  readonly hasHostName: boolean;
  readonly format: RecordFormat;
  readonly complain: (message: string) => void;
}

/** Sends records to syslog: over UDP as `<priority>text` and a NUL, or to the socket of this host.
 * Source: spec/framework.md 6.4 */
export class SyslogHandler implements LogHandler {
  readonly #options: SyslogHandlerOptions;
  #local: Syslog | undefined;
  readonly #socket: string | undefined;
  readonly #remote: UdpSender | undefined;

  constructor(options: SyslogHandlerOptions) {
    this.#options = options;
    const { address, complain } = options;
    if (typeof address === "string") this.#socket = address;
    else this.#remote = new UdpSender(address.host, address.port, complain);
  }

  handle(record: LogRecord, origin: LogOrigin): void {
    const { facility, format, hasHostName } = this.#options;
    const { severity } = levelNames[record.level];
    const prefix = hasHostName ? `${origin.hostName} ${origin.serviceName} ` : "";
    const text = `${prefix}${formatRecord(record, origin, format)}`;
    if (this.#remote !== undefined) {
      this.#remote.send(Buffer.from(`<${syslogFacilities[facility]! * 8 + severity}>${text}\0`));
      return;
    }
    this.#local ??= new Syslog({ ident: origin.jobName, facility, socket: this.#socket });
    this.#local.send(severity, text);
  }

  async close(): Promise<void> {
    await this.#remote?.close();
    await this.#local?.close();
    this.#local = undefined;
  }
}
