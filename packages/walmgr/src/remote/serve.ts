import { Readable } from "node:stream";
import type { Job } from "@skytools/skytools";
import type { ArchiveFlag, WalSource } from "../archive/archive.ts";
import type { LocalArchive, PublishedFile } from "../archive/local-archive.ts";
import { headBytes } from "../archive/wal-check.ts";
import { FrameChannel } from "./frame-channel.ts";
import { protocolVersion } from "./remote-session.ts";

type Request = Readonly<Record<string, unknown>>;

/** What a request does; it must have read all data of the request when it returns.
 * @returns the answer, or "sent" when it has been given already */
export type Operation = (request: Request, channel: FrameChannel) => Promise<unknown>;

/** Answers the requests of a walmgr on another host until it goes away. */
export async function serve(
  job: Job,
  archive: LocalArchive,
  further: ReadonlyMap<string, Operation> = new Map(),
): Promise<void> {
  const channel = new FrameChannel(process.stdin, process.stdout);
  const operations = new Map([...archiveOperations(archive), ...further]);
  await channel.sendMessage({ protocol: protocolVersion });
  for (;;) {
    const frame = await channel.read();
    if (frame === undefined) return;
    // The rest of a request that failed half way.
    if (frame.kind !== "message") continue;
    const operation = operations.get(String(frame.message.op));
    try {
      if (operation === undefined) throw new Error(`unknown request ${String(frame.message.op)}`);
      const result = await operation(frame.message, channel);
      if (result !== answered) await channel.sendMessage({ result: result ?? null });
    } catch (error) {
      const failure = archive.failure(error);
      job.log.error(failure.message);
      const { message } = failure;
      const exitCode = "exitCode" in failure ? failure.exitCode : 3;
      const hint = "hint" in failure ? failure.hint : undefined;
      await channel.sendMessage({ error: { message, exitCode, hint } });
    }
  }
}

/** An operation that sends its answer itself returns this. */
export const answered = Symbol("answered");

function archiveOperations(archive: LocalArchive): Map<string, Operation> {
  let published: PublishedFile[] = [];
  return new Map<string, Operation>([
    ["identity", () => archive.identity()],
    ["list", () => archive.list()],
    ["has-flag", ({ flag }) => archive.hasFlag(archiveFlag(flag))],
    ["set-flag", ({ flag, isSet }) => archive.setFlag(archiveFlag(flag), isSet === true)],
    [
      "note-delivery",
      ({ restartSegment }) =>
        archive.noteDelivery(typeof restartSegment === "string" ? restartSegment : undefined),
    ],
    [
      "store",
      async (request, channel) => {
        const data = channel.data();
        try {
          const source = await receivedSource(String(request.name), Number(request.sizeBytes), data);
          const file = await archive.publish(source);
          published.push(file);
          return file.isNew;
        } finally {
          // The sender answers nothing before it has sent everything.
          for await (const _rest of data);
        }
      },
    ],
    [
      "make-durable",
      async () => {
        const files = published;
        published = [];
        await archive.makeDurable(files);
      },
    ],
    [
      "fetch",
      async (request, channel) => {
        let isBegun = false;
        const options = { acceptsPartial: request.acceptsPartial === true };
        const isFound = await archive.read(String(request.name), options, async (chunk) => {
          if (!isBegun) await channel.sendMessage({ result: true });
          isBegun = true;
          await channel.sendData(chunk);
        });
        if (!isFound) return false;
        await channel.sendEnd();
        return answered;
      },
    ],
  ]);
}

function archiveFlag(flag: unknown): ArchiveFlag {
  if (flag !== "PAUSE" && flag !== "STOP") throw new Error(`unknown flag ${String(flag)}`);
  return flag;
}

/** Data that arrive as something to archive: the head first, for the checks, then all of it. */
async function receivedSource(
  name: string,
  sizeBytes: number,
  data: AsyncGenerator<Buffer, void>,
): Promise<WalSource> {
  const begin: Buffer[] = [];
  let length = 0;
  const wanted = Math.min(sizeBytes, headBytes);
  while (length < wanted) {
    const next = await data.next();
    if (next.done === true) break;
    begin.push(next.value);
    length += next.value.length;
  }
  const first = Buffer.concat(begin);
  const all = async function* () {
    yield first;
    for (;;) {
      const next = await data.next();
      if (next.done === true) return;
      yield next.value;
    }
  };
  return {
    name,
    sizeBytes,
    head: first.subarray(0, headBytes),
    open: () => Readable.from(all(), { objectMode: false }),
  };
}
