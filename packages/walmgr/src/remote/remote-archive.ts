import type {
  Archive,
  ArchiveFlag,
  FetchOptions,
  StoredFile,
  StoreResult,
  WalSource,
} from "../archive/archive.ts";
import type { ArchiveIdentity } from "../archive/archive-identity.ts";
import type { RemoteHost } from "./remote-program.ts";
import { RemoteSession } from "./remote-session.ts";

/** The archive of another host. Every check is made over there, by the same code that guards an archive of this host. */
export class RemoteArchive implements Archive {
  readonly place: string;
  readonly #remote: RemoteHost;
  #session: RemoteSession | undefined;

  /** @param path for messages */
  constructor(remote: RemoteHost, path: string) {
    this.#remote = remote;
    this.place = `${remote.host}:${path}`;
  }

  async #open(): Promise<RemoteSession> {
    this.#session ??= await RemoteSession.open(this.#remote);
    return this.#session;
  }

  async identity(): Promise<ArchiveIdentity | undefined> {
    return (await (await this.#open()).call<ArchiveIdentity | null>({ op: "identity" })) ?? undefined;
  }

  async store(sources: readonly WalSource[]): Promise<StoreResult> {
    const session = await this.#open();
    const stored: { name: string; isNew: boolean }[] = [];
    let failure: Error | undefined;
    for (const source of sources) {
      try {
        const request = { op: "store", name: source.name, sizeBytes: source.sizeBytes };
        const isNew = await session.call<boolean>(request, source.open());
        stored.push({ name: source.name, isNew });
      } catch (error) {
        failure = error instanceof Error ? error : new Error(String(error));
        break;
      }
    }
    try {
      if (stored.length > 0) await session.call({ op: "make-durable" });
    } catch (error) {
      return { stored: [], failure: failure ?? (error as Error) };
    }
    return { stored, failure };
  }

  async read(name: string, options: FetchOptions, sink: (chunk: Buffer) => Promise<void>): Promise<boolean> {
    const session = await this.#open();
    const request = { op: "fetch", name, acceptsPartial: options.acceptsPartial === true };
    if (!(await session.call<boolean>(request))) return false;
    for await (const chunk of session.receiveData()) await sink(chunk);
    return true;
  }

  async list(): Promise<StoredFile[]> {
    return (await this.#open()).call<StoredFile[]>({ op: "list" });
  }

  async hasFlag(flag: ArchiveFlag): Promise<boolean> {
    return (await this.#open()).call<boolean>({ op: "has-flag", flag });
  }

  async setFlag(flag: ArchiveFlag, isSet: boolean): Promise<void> {
    await (await this.#open()).call({ op: "set-flag", flag, isSet });
  }

  async noteDelivery(restartSegment: string | undefined): Promise<void> {
    await (await this.#open()).call({ op: "note-delivery", restartSegment: restartSegment ?? null });
  }

  async close(): Promise<void> {
    this.#session?.close();
    this.#session = undefined;
  }
}
