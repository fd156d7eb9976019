import { open, rename, rm } from "node:fs/promises";
import type { Archive, FetchOptions, StoredFile, StoreResult, WalSource } from "../archive/archive.ts";
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

  async fetch(name: string, destination: string, options: FetchOptions = {}): Promise<boolean> {
    const session = await this.#open();
    const isFound = await session.call<boolean>({
      op: "fetch",
      name,
      acceptsPartial: options.acceptsPartial === true,
    });
    if (!isFound) return false;
    const draft = `${destination}.tmp`;
    try {
      const handle = await open(draft, "w", 0o600);
      try {
        for await (const chunk of session.receiveData()) await handle.writeFile(chunk);
      } finally {
        await handle.close();
      }
      await rename(draft, destination);
    } finally {
      await rm(draft, { force: true });
    }
    return true;
  }

  async list(): Promise<StoredFile[]> {
    return (await this.#open()).call<StoredFile[]>({ op: "list" });
  }

  async close(): Promise<void> {
    this.#session?.close();
    this.#session = undefined;
  }
}
