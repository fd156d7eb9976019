import type { RemoteHost } from "../remote/remote-program.ts";
import { RemoteSession } from "../remote/remote-session.ts";
import { WalError } from "../wal/wal-error.ts";
import { type BackupManifest, parseManifest } from "./manifest.ts";
import type { PartSink } from "./read-set.ts";
import { type BackupSet, isOid, isSetInfo } from "./set-info.ts";
import type { SetStore } from "./set-store.ts";
import { foreignEntry, type TarSink } from "./tar-reader.ts";

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
    const sets = await (await this.#open()).call<BackupSet[]>({ op: "list-sets" });
    for (const { name, info } of sets) {
      if (isSetInfo(info)) continue;
      throw new WalError(`${this.#remote.host} has a damaged backup set ${JSON.stringify(name)}`, {
        hint: "Look at its backup.json, and at who could write there.",
      });
    }
    return sets;
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
          sink = sinkOf(content.length === 0 ? undefined : this.#oid(content.toString()));
          break;
        case readMessage.entry:
          sink?.begin(foreignEntry(parsed(content), this.#remote.host));
          break;
        case readMessage.data:
          sink?.data(content);
          break;
        default:
          sink?.end();
      }
    }
  }

  #oid(text: string): string {
    if (isOid(text)) return text;
    throw new WalError(`${this.#remote.host} sent ${JSON.stringify(text)} as the number of a tablespace`);
  }

  close(): void {
    this.#session?.close();
    this.#session = undefined;
  }
}

/** Undefined for what is no JSON. */
function parsed(content: Buffer): unknown {
  try {
    return JSON.parse(content.toString());
  } catch {
    return undefined;
  }
}
