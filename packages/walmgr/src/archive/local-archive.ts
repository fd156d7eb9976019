import { existsSync } from "node:fs";
import { lstat, open, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { crashPoint, removePath, SkytoolsError } from "@skytools/skytools";
import { errorCode, foreignFile, hookExit, storageTrouble, WalError } from "../wal/wal-error.ts";
import { byArchiveOrder, parseWalName } from "../wal/wal-name.ts";
import type { Archive, ArchiveFlag, FetchOptions, StoredFile, StoreResult, WalSource } from "./archive.ts";
import { type ArchiveIdentity, checkIdentity, claimIdentity, readIdentity } from "./archive-identity.ts";
import { type Checksum, ChecksumList } from "./checksum-list.ts";
import { type Codec, codecSuffix, codecs, splitCodec } from "./codec.ts";
import { openForWriting, replaceFile, syncDirectory } from "./durable-file.ts";
import { findPartial } from "./partial-segment.ts";
import { type Draft, hashSource, writeDraft } from "./publish-file.ts";
import { readStored } from "./stored-content.ts";
import { checkWalFile, headBytes } from "./wal-check.ts";

export interface LocalArchiveOptions {
  /** `completed_wals` */
  readonly directory: string;
  /** `partial_wals` */
  readonly partialDirectory: string;
  readonly codec: Codec;
  /** files that are worked on at once */
  readonly parallelFiles: number;
}

/** Name of the file that says from where the standby would start again. */
export const restartFile = "RESTARTPOINT";
/** It is written again after that time, although nothing has changed: its own time says when the standby was here. */
const restartRenewalMs = 3600_000;

/** A file that has its final name, but may not survive a power failure yet. */
export interface PublishedFile {
  readonly name: string;
  readonly isNew: boolean;
  readonly checksum: Checksum;
}

interface FoundFile {
  readonly storedName: string;
  readonly codec: Codec;
}

/** A file that was read, and can be given its name. */
interface PreparedFile {
  readonly name: string;
  readonly contentSha256: string;
  /** undefined: the archive has the name already, and nothing was written */
  readonly draft: Draft | undefined;
}

/** A directory of this host with finished WAL files, flat, each readable without this program.
 * Source: spec/walmgr.md 4.1, 9, 12.5 */
export class LocalArchive implements Archive {
  readonly place: string;
  readonly #partialDirectory: string;
  readonly #codec: Codec;
  readonly #parallelFiles: number;
  readonly #checksums: ChecksumList;

  constructor({ directory, partialDirectory, codec, parallelFiles }: LocalArchiveOptions) {
    this.place = directory;
    this.#partialDirectory = partialDirectory;
    this.#codec = codec;
    this.#parallelFiles = parallelFiles;
    this.#checksums = new ChecksumList(directory);
  }

  identity(): Promise<ArchiveIdentity | undefined> {
    return readIdentity(this.place);
  }

  async store(sources: readonly WalSource[]): Promise<StoreResult> {
    const done: PublishedFile[] = [];
    let failure: Error | undefined;
    for (let first = 0; first < sources.length && failure === undefined; first += this.#parallelFiles) {
      const round = sources.slice(first, first + this.#parallelFiles);
      // Written side by side, but named in order: whoever reads meanwhile, or after this process has died, finds no gap.
      for (const each of await Promise.allSettled(round.map((source) => this.#prepare(source)))) {
        if (each.status === "rejected") failure ??= this.failure(each.reason);
        else {
          try {
            if (failure === undefined) done.push(await this.#name(each.value));
          } catch (error) {
            failure = this.failure(error);
          } finally {
            await each.value.draft?.discard().catch((error: unknown) => (failure ??= this.failure(error)));
          }
        }
      }
    }
    try {
      await this.makeDurable(done);
    } catch (error) {
      return { stored: [], failure: this.failure(error) };
    }
    return { stored: done.map(({ name, isNew }) => ({ name, isNew })), failure };
  }

  async #checkDirectory(): Promise<void> {
    try {
      await stat(this.place);
    } catch (error) {
      throw new WalError(`archive ${this.place} cannot be reached (${errorCode(error)})`, {
        exitCode: hookExit.trouble,
        cause: error,
        hint: errorCode(error) === "ENOENT" ? "walmgr setup creates it." : undefined,
      });
    }
  }

  /** Puts a file in its place; it counts as stored after {@link makeDurable} only. */
  async publish(source: WalSource): Promise<PublishedFile> {
    const prepared = await this.#prepare(source);
    try {
      return await this.#name(prepared);
    } finally {
      await prepared.draft?.discard();
    }
  }

  async #prepare(source: WalSource): Promise<PreparedFile> {
    await this.#checkDirectory();
    const { name } = source;
    const owner = checkWalFile(name, source.head, source.sizeBytes);
    if (owner !== undefined) await claimIdentity(this.place, owner);
    if ((await this.#find(name)) !== undefined)
      return { name, contentSha256: await hashSource(source), draft: undefined };
    const draft = await writeDraft(this.place, source, this.#codec);
    return { name, contentSha256: draft.contentSha256, draft };
  }

  async #name({ name, contentSha256, draft }: PreparedFile): Promise<PublishedFile> {
    // Somebody else may have stored it while this one was written.
    const present = await this.#find(name);
    if (present !== undefined) return this.#compare(name, present, contentSha256);
    if (draft === undefined) throw storageTrouble(`${name} was taken away from archive ${this.place}`);
    const { storedName, storedSha256 } = draft;
    const own = { storedName, codec: this.#codec };
    if ((await draft.publish()) === "exists") return this.#compare(name, own, contentSha256);
    const isNeeded = await this.#prevails(name, own, contentSha256);
    if (isNeeded) return { name, isNew: true, checksum: { storedName, sha256: storedSha256 } };
    const other = await this.#find(name);
    if (other === undefined) throw storageTrouble(`${name} was taken away from archive ${this.place}`);
    return this.#compare(name, other, contentSha256);
  }

  /** With another compression the same file has another name, which another process may have taken at the same moment: a link
   * guards one name only. Of two, the one stays that readers look for first; that is not known to the other process when it was
   * there first, so where the contents differ neither stays, and both are told.
   * @returns false: the own file was taken away again in favour of the other
   * @throws WalError when the other one has other content */
  async #prevails(name: string, own: FoundFile, contentSha256: string): Promise<boolean> {
    for (const other of await this.#findAll(name)) {
      if (other.codec === own.codec) continue;
      if (codecs.indexOf(other.codec) < codecs.indexOf(own.codec)) {
        await removePath(join(this.place, own.storedName), { force: true });
        return false;
      }
      try {
        await this.#compare(name, other, contentSha256);
      } catch (error) {
        const isThere = (await this.#findAll(name)).some(({ codec }) => codec === other.codec);
        // The other process has seen this one and gives way.
        if (!isThere) continue;
        await removePath(join(this.place, own.storedName), { force: true });
        throw error;
      }
    }
    return true;
  }

  /** The same file may be offered again, after a crash for example; anything else under its name is refused. */
  async #compare(
    name: string,
    { storedName, codec }: FoundFile,
    wantedSha256: string,
  ): Promise<PublishedFile> {
    const recorded = await this.#checksums.find(storedName);
    const stored = await this.#read(name, storedName, codec);
    if (stored?.contentSha256 === wantedSha256) {
      await this.#syncFile(storedName);
      return { name, isNew: false, checksum: { storedName, sha256: stored.storedSha256 } };
    }
    if (recorded !== undefined && stored?.storedSha256 !== recorded) {
      throw new WalError(`the archive's copy of ${name} is damaged: it does not match its checksum`, {
        exitCode: hookExit.differs,
        hint: `Move ${join(this.place, storedName)} away; the server offers the segment again.`,
      });
    }
    throw new WalError(`the archive ${this.place} holds other content under the name ${name}, which stays`, {
      exitCode: hookExit.differs,
      hint:
        parseWalName(name)?.kind === "history"
          ? "Two servers were promoted to the same timeline: only one of them may archive here."
          : "Do two primaries archive here (after a failover, or a copy of the cluster that was started)? " +
            "Stop the wrong one, or give the new one an archive of its own.",
    });
  }

  async #syncFile(storedName: string): Promise<void> {
    const handle = await open(join(this.place, storedName), "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  async makeDurable(done: readonly PublishedFile[]): Promise<void> {
    if (done.length === 0) return;
    const fresh: Checksum[] = [];
    for (const { checksum } of done) {
      if ((await this.#checksums.find(checksum.storedName)) !== checksum.sha256) fresh.push(checksum);
    }
    await this.#checksums.add(fresh);
    crashPoint("archive.checksum-written");
    await syncDirectory(this.place);
    crashPoint("archive.directory-synced");
  }

  /** Whatever went wrong, as an error with its exit code. */
  failure(reason: unknown): Error {
    if (reason instanceof SkytoolsError) return reason;
    const code = errorCode(reason);
    if (code === undefined) return reason instanceof Error ? reason : new Error(String(reason));
    const what =
      code === "ENOSPC" || code === "EDQUOT"
        ? "is full"
        : code === "EROFS"
          ? "is read-only"
          : "cannot be written";
    return storageTrouble(`archive ${this.place} ${what} (${code})`, reason);
  }

  /** The copy that counts. */
  async #find(name: string): Promise<FoundFile | undefined> {
    return (await this.#findAll(name))[0];
  }

  async #findAll(name: string): Promise<FoundFile[]> {
    const found: FoundFile[] = [];
    for (const codec of codecs) {
      const storedName = name + codecSuffix(codec);
      try {
        await stat(join(this.place, storedName));
        found.push({ storedName, codec });
      } catch (error) {
        if (errorCode(error) !== "ENOENT") throw error;
      }
    }
    return found;
  }

  /** @returns undefined when the stored file cannot be decompressed */
  async #read(name: string, storedName: string, codec: Codec, sink?: (chunk: Buffer) => Promise<void>) {
    try {
      return await readStored(join(this.place, storedName), codec, headBytes, sink);
    } catch (error) {
      const code = errorCode(error) ?? "";
      if (code.startsWith("Z_") || (codec === "zstd" && !code.startsWith("E"))) return undefined;
      throw storageTrouble(`cannot read ${name} in archive ${this.place} (${code || String(error)})`, error);
    }
  }

  async read(name: string, options: FetchOptions, sink: (chunk: Buffer) => Promise<void>): Promise<boolean> {
    // Another host may ask for anything.
    if (parseWalName(name) === undefined)
      throw foreignFile(`"${name.slice(0, 80)}" is not the name of a WAL file`);
    await this.#checkDirectory();
    const found = await this.#find(name).catch((error: unknown) => {
      throw this.failure(error);
    });
    if (found !== undefined) {
      await this.#readChecked(name, found.storedName, found.codec, sink);
      return true;
    }
    if (options.acceptsPartial !== true || parseWalName(name)?.kind !== "segment") return false;
    const partial = await findPartial([this.#partialDirectory, this.place], name, await this.identity());
    if (partial === undefined) return false;
    await readStored(partial, "none", 0, sink);
    return true;
  }

  async #readChecked(
    name: string,
    storedName: string,
    codec: Codec,
    sink: (chunk: Buffer) => Promise<void>,
  ): Promise<void> {
    const content = await this.#read(name, storedName, codec, sink);
    const recorded = await this.#checksums.find(storedName);
    if (content === undefined || (recorded !== undefined && recorded !== content.storedSha256)) {
      throw foreignFile(
        `the archive's copy of ${name} is damaged: it does not match its checksum`,
        `Look at ${join(this.place, storedName)}; walmgr verify reads the whole archive.`,
      );
    }
    const owner = checkWalFile(name, content.head, content.contentBytes);
    const identity = owner === undefined ? undefined : await this.identity();
    if (owner !== undefined && identity !== undefined) checkIdentity(identity, owner, this.place);
  }

  async list(): Promise<StoredFile[]> {
    try {
      const names = await readdir(this.place);
      const files = names.flatMap((storedName) => {
        const { name } = splitCodec(storedName);
        return parseWalName(name) === undefined ? [] : [{ name, storedName }];
      });
      files.sort((a, b) => byArchiveOrder(a.name, b.name));
      const result: StoredFile[] = [];
      for (const file of files) {
        const found = await stat(join(this.place, file.storedName)).catch(() => undefined);
        if (found === undefined) continue;
        result.push({ ...file, sizeBytes: found.size, modifiedMs: found.mtimeMs });
      }
      return result;
    } catch (error) {
      throw storageTrouble(`archive ${this.place} cannot be read (${errorCode(error)})`, error);
    }
  }

  async hasFlag(flag: ArchiveFlag): Promise<boolean> {
    return existsSync(join(this.place, flag));
  }

  async setFlag(flag: ArchiveFlag, isSet: boolean): Promise<void> {
    const path = join(this.place, flag);
    try {
      if (isSet) await this.#note(flag, "1", true);
      else await removePath(path, { force: true });
      await syncDirectory(this.place);
    } catch (error) {
      throw this.failure(error);
    }
  }

  async noteDelivery(restartSegment: string | undefined): Promise<void> {
    await this.#note("PROGRESS", "1");
    if (restartSegment === undefined || parseWalName(restartSegment)?.kind !== "segment") return;
    const path = join(this.place, restartFile);
    // In one step: whoever removes WAL takes an empty file for no standby at all.
    if (!(await isRecent(path, restartSegment))) await replaceFile(path, restartSegment);
  }

  async #note(file: string, text: string, isSynced = false): Promise<void> {
    const handle = await openForWriting(join(this.place, file));
    try {
      await handle.append(text);
      if (isSynced) await handle.sync();
    } finally {
      await handle.close();
    }
  }

  async close(): Promise<void> {}
}

async function isRecent(path: string, content: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isFile() !== true || Date.now() - found.mtimeMs > restartRenewalMs) return false;
  return (await readFile(path, "utf8")) === content;
}
