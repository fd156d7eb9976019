import type { RemoteHost } from "../remote/remote-program.ts";
import { RemoteSession } from "../remote/remote-session.ts";
import type { BackupPart, BackupRange } from "./base-backup.ts";
import type { SetTarget } from "./set-target.ts";
import type { SetPlan } from "./set-writer.ts";

/** First byte of each piece of data that a backup sends to the other host. */
export const setMessage = { part: 0x6e, data: 0x64, manifest: 0x6d } as const;

const waitingBytes = 1 << 20;

/** Backup sets of another host: the server's data go there as they arrive. */
export class RemoteSetTarget implements SetTarget {
  readonly #remote: RemoteHost;
  #session: RemoteSession | undefined;
  #isSending = false;
  #queue: Promise<void> = Promise.resolve();
  #queuedBytes = 0;
  #configFiles: Readonly<Record<string, string>> | undefined;

  constructor(remote: RemoteHost) {
    this.#remote = remote;
  }

  async #open(): Promise<RemoteSession> {
    this.#session ??= await RemoteSession.open(this.#remote);
    return this.#session;
  }

  async begin(plan: SetPlan): Promise<void> {
    const session = await this.#open();
    await session.call({ op: "backup-begin", plan });
    await session.begin({ op: "backup-data" });
    this.#isSending = true;
  }

  async newestManifest(systemIdentifier: string) {
    const session = await this.#open();
    const found = await session.call<{ id: string; manifest: string } | null>({
      op: "newest-manifest",
      systemIdentifier,
    });
    return found === null ? undefined : { id: found.id, manifest: Buffer.from(found.manifest, "base64") };
  }

  beginPart(part: BackupPart): void {
    this.#send(setMessage.part, Buffer.from(JSON.stringify(part)));
  }

  beginManifest(): void {
    this.#send(setMessage.manifest, Buffer.alloc(0));
  }

  data(chunk: Buffer): boolean {
    this.#send(setMessage.data, chunk);
    return this.#queuedBytes < waitingBytes;
  }

  #send(kind: number, content: Buffer): void {
    const message = Buffer.allocUnsafe(content.length + 1);
    message[0] = kind;
    content.copy(message, 1);
    this.#queuedBytes += message.length;
    this.#queue = this.#queue.then(async () => {
      await this.#session?.sendData(message);
      this.#queuedBytes -= message.length;
    });
    this.#queue.catch(() => undefined);
  }

  async drained(): Promise<void> {
    await this.#queue;
  }

  async storeConfig(files: Readonly<Record<string, string>>): Promise<void> {
    // The connection is busy with the backup's data until `finish`.
    this.#configFiles = files;
  }

  async finish(range: BackupRange) {
    const session = await this.#open();
    await this.#queue;
    await session.sendEnd();
    this.#isSending = false;
    await session.answer();
    if (this.#configFiles !== undefined) await session.call({ op: "store-config", files: this.#configFiles });
    const positions = {
      startLsn: range.startLsn.toString(),
      stopLsn: range.stopLsn.toString(),
      startTimeline: range.startTimeline,
      stopTimeline: range.stopTimeline,
    };
    const result = await session.call<Awaited<ReturnType<SetTarget["finish"]>>>({
      op: "backup-finish",
      ...positions,
    });
    session.close();
    return result;
  }

  /** The other side abandons the set when the connection ends before `finish`. */
  async abandon(): Promise<void> {
    await this.#queue.catch(() => undefined);
    if (this.#isSending) await this.#session?.sendEnd().catch(() => undefined);
    this.#session?.close();
  }
}
