import type { RemoteHost } from "../remote/remote-program.ts";
import { RemoteSession } from "../remote/remote-session.ts";
import { type BackupManifest, parseManifest } from "./manifest.ts";
import type { PartSink } from "./read-set.ts";
import type { BackupSet } from "./set-info.ts";
import type { SetStore } from "./set-store.ts";
import type { TarEntry, TarSink } from "./tar-reader.ts";

/** First byte of each piece of data of a set that another host sends. */
export const readMessage = { part: 0x70, entry: 0x65, data: 0x64, end: 0x66 } as const;

/** Backup sets of another host. */
export class RemoteSetStore implements SetStore {
  readonly #remote: RemoteHost;
  #session: RemoteSession | undefined;

  constructor(remote: RemoteHost) {
    this.#remote = remote;
  }

  async #open(): Promise<RemoteSession> {
    this.#session ??= await RemoteSession.open(this.#remote);
    return this.#session;
  }

  async list(): Promise<BackupSet[]> {
    return (await this.#open()).call<BackupSet[]>({ op: "list-sets" });
  }

  async manifest(set: BackupSet): Promise<BackupManifest> {
    const session = await this.#open();
    await session.call({ op: "set-manifest", id: set.info.id });
    const chunks: Buffer[] = [];
    for await (const chunk of session.receiveData()) chunks.push(chunk);
    return parseManifest(Buffer.concat(chunks), `${this.#remote.host}:${set.path}/backup_manifest`);
  }

  async read(set: BackupSet, sinkOf: PartSink): Promise<void> {
    const session = await this.#open();
    await session.call({ op: "read-set", id: set.info.id });
    let sink: TarSink | undefined;
    for await (const message of session.receiveData()) {
      const content = message.subarray(1);
      switch (message[0] ?? 0) {
        case readMessage.part:
          sink = sinkOf(content.length === 0 ? undefined : content.toString());
          break;
        case readMessage.entry:
          sink?.begin(JSON.parse(content.toString()) as TarEntry);
          break;
        case readMessage.data:
          sink?.data(content);
          break;
        default:
          sink?.end();
      }
    }
  }

  close(): void {
    this.#session?.close();
    this.#session = undefined;
  }
}
