import { type LogHandler, type LogOrigin, type LogRecord, levelNames } from "./record.ts";
import { tnetDict, tnetFloat, tnetInteger, tnetNull, tnetText } from "./tnetstring.ts";
import type { UdpSender } from "./udp-sender.ts";

/** Sends each record as one datagram with a tagged netstring.
 * Source: spec/framework.md 6.4 */
export class UdpTNetStringsHandler implements LogHandler {
  readonly #sender: UdpSender;

  constructor(sender: UdpSender) {
    this.#sender = sender;
  }

  handle({ time, level, message, stack }: LogRecord, origin: LogOrigin): void {
    const { name, number } = levelNames[level];
    this.#sender.send(
      tnetDict({
        created: tnetFloat(time.getTime() / 1000),
        exc_text: stack === undefined ? tnetNull : tnetText(stack),
        levelname: tnetText(name),
        levelno: tnetInteger(number),
        message: tnetText(message),
        msecs: tnetFloat(time.getMilliseconds()),
        name: tnetText(origin.jobName),
        hostaddr: tnetText(origin.hostAddress),
        hostname: tnetText(origin.hostName),
        job_name: tnetText(origin.jobName),
        service_name: tnetText(origin.serviceName),
      }),
    );
  }

  close(): Promise<void> {
    return this.#sender.close();
  }
}
