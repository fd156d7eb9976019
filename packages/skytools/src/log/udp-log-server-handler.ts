import { type LogHandler, type LogOrigin, type LogRecord, levelNames } from "./record.ts";
import { formatRecord, type RecordFormat } from "./stream-handler.ts";
import type { UdpSender } from "./udp-sender.ts";

const logServerLevels: Readonly<Record<string, string>> = {
  DEBUG: "DEBUG",
  INFO: "INFO",
  WARNING: "WARN",
  ERROR: "ERROR",
  CRITICAL: "FATAL",
};
const longestMessage = 1024;

/** Sends each record as one datagram with a JSON object.
 * Source: spec/framework.md 6.4 */
export class UdpLogServerHandler implements LogHandler {
  readonly #sender: UdpSender;
  readonly #format: RecordFormat;

  constructor(sender: UdpSender, format: RecordFormat) {
    this.#sender = sender;
    this.#format = format;
  }

  handle(record: LogRecord, origin: LogOrigin): void {
    const text = formatRecord(record, origin, this.#format);
    const packet = {
      logger: "skytools.UdpLogServer",
      timestamp: record.time.getTime(),
      level: logServerLevels[levelNames[record.level].name] ?? "ERROR",
      thread: null,
      message: Array.from(text).slice(0, longestMessage).join(""),
      properties: {
        application: origin.jobName,
        apptype: origin.serviceName,
        type: "sys",
        hostname: origin.hostName,
        hostaddr: origin.hostAddress,
      },
    };
    this.#sender.send(Buffer.from(`${JSON.stringify(packet, null, "\t")}\n`));
  }

  close(): Promise<void> {
    return this.#sender.close();
  }
}
