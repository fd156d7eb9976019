import { close, closeSync, constants, fdatasync, mkdirSync, openSync, writeSync } from "node:fs";
import { open, readdir, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import { crashPoint } from "@skytools/skytools";
import { type Codec, codecSuffix, compressor } from "../archive/codec.ts";
import { replaceFile, syncDirectory } from "../archive/durable-file.ts";
import { formatLsn } from "../wal/lsn.ts";
import { errorCode, storageTrouble, WalError } from "../wal/wal-error.ts";
import { segmentAt } from "../wal/wal-name.ts";
import type { BackupPart, BackupRange } from "./base-backup.ts";
import { parseManifest } from "./manifest.ts";
import { infoFile, type SetInfo } from "./set-info.ts";
import { type TarEntry, TarReader, type TarSink } from "./tar-reader.ts";

/** What is known about a set before its data arrive. */
export interface SetPlan {
  readonly label: string;
  readonly systemIdentifier: string;
  readonly serverVersion: number;
  readonly segmentSize: number;
  readonly includesWal: boolean;
  readonly basedOn: string | undefined;
  readonly startTime: string;
  readonly walmgrVersion: string;
}

/** Writes a backup set: a plain data directory with tablespaces in `tmpspc/`, or compressed tar files. The set is finished by
 * its `backup.json`, after everything else is on the disk. */
export class SetWriter {
  readonly path: string;
  readonly #codec: Codec;
  readonly #syncs = new SyncQueue();
  readonly #tablespaces: { oid: string; location: string }[] = [];
  readonly #sizes = new Map<string, number>();
  #part: { write(chunk: Buffer): boolean; finish(): Promise<void> | void } | undefined;
  #manifest: Buffer[] | undefined;
  #finished: Promise<void>[] = [];
  #bytes = 0;

  constructor(path: string, codec: Codec) {
    this.path = path;
    this.#codec = codec;
  }

  /** Makes the directory, in place of one that an interrupted backup left. */
  async begin(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
    try {
      mkdirSync(this.path, { mode: 0o700 });
    } catch (error) {
      throw storageTrouble(`cannot create ${this.path} (${errorCode(error)})`, error);
    }
  }

  beginPart({ oid, location }: BackupPart): void {
    this.#endPart();
    crashPoint("backup.part");
    if (oid !== undefined) this.#tablespaces.push({ oid, location: location ?? "" });
    if (this.#codec !== "none") {
      this.#part = this.#compressedPart(oid ?? "base");
      return;
    }
    const below = oid === undefined ? "" : `tmpspc/${oid}`;
    if (below !== "") mkdirSync(join(this.path, below), { recursive: true, mode: 0o700 });
    const sink = new PlainSink(join(this.path, below), this.#syncs, (file, size) =>
      this.#sizes.set(oid === undefined ? file : `pg_tblspc/${oid}/${file}`, size),
    );
    const reader = new TarReader(`backup part ${oid ?? "base"}`, sink);
    this.#part = {
      write: (chunk) => {
        reader.write(chunk);
        return true;
      },
      finish: () => reader.finish(),
    };
  }

  #compressedPart(name: string): { write(chunk: Buffer): boolean; finish(): Promise<void> } {
    const stream: Duplex = compressor(this.#codec);
    const path = join(this.path, `${name}.tar${codecSuffix(this.#codec)}`);
    const written = (async () => {
      const handle = await open(path, "wx", 0o600);
      try {
        await pipeline(stream, async (chunks: AsyncIterable<Buffer>) => {
          for await (const chunk of chunks) await handle.writeFile(chunk);
        });
        await handle.sync();
      } finally {
        await handle.close();
      }
    })();
    written.catch(() => undefined);
    this.#drain = () => new Promise((resolve) => stream.once("drain", resolve).once("close", resolve));
    return {
      // The stream keeps the chunk for later, the caller does not.
      write: (chunk) => stream.write(Buffer.from(chunk)),
      finish: () => {
        stream.end();
        return written;
      },
    };
  }

  #drain: () => Promise<unknown> = async () => {};

  /** @returns false when the caller should wait for `drained` */
  data(chunk: Buffer): boolean {
    this.#bytes += chunk.length;
    if (this.#manifest !== undefined) {
      this.#manifest.push(Buffer.from(chunk));
      return true;
    }
    if (this.#part === undefined) throw new WalError("a backup began with data instead of a part");
    try {
      return this.#part.write(chunk);
    } catch (error) {
      throw this.#failure(error);
    } finally {
      crashPoint("backup.data");
    }
  }

  async drained(): Promise<void> {
    await this.#drain();
  }

  beginManifest(): void {
    this.#endPart();
    this.#manifest = [];
  }

  #endPart(): void {
    const finished = this.#part?.finish();
    if (finished !== undefined) this.#finished.push(finished);
    this.#part = undefined;
  }

  /** Brings everything to the disk and marks the set as finished.
   * @throws WalError when something is missing that the manifest lists */
  async finish(plan: SetPlan, range: BackupRange): Promise<SetInfo> {
    try {
      this.#endPart();
      await Promise.all(this.#finished);
      const manifest = Buffer.concat(this.#manifest ?? []);
      this.#checkComplete(manifest);
      await replaceFile(join(this.path, "backup_manifest"), manifest);
      await this.#syncs.finish();
      await syncTree(this.path);
      crashPoint("backup.synced");
      const info = this.#info(plan, range);
      await replaceFile(join(this.path, infoFile), `${JSON.stringify(info, null, 2)}\n`);
      await syncDirectory(dirname(this.path));
      crashPoint("backup.finished");
      return info;
    } catch (error) {
      throw this.#failure(error);
    }
  }

  #checkComplete(bytes: Buffer): void {
    const manifest = parseManifest(bytes, "the server's backup manifest");
    if (this.#codec !== "none") return;
    for (const file of manifest.files.values()) {
      if (this.#sizes.get(file.path) !== file.sizeBytes) {
        throw new WalError(`the backup lacks ${file.path}, or a part of it`);
      }
    }
  }

  #info(plan: SetPlan, range: BackupRange): SetInfo {
    const firstSegment = segmentAt(range.startTimeline, range.startLsn, plan.segmentSize);
    const stamp = plan.startTime.replace(/[-:]|\.\d+/g, "");
    return {
      id: `${stamp}-${firstSegment}`,
      ...plan,
      startLsn: formatLsn(range.startLsn),
      stopLsn: formatLsn(range.stopLsn),
      timeline: range.startTimeline,
      firstSegment,
      stopTime: new Date().toISOString(),
      sizeBytes: this.#bytes,
      codec: this.#codec,
      tablespaces: this.#tablespaces,
    };
  }

  #failure(error: unknown): unknown {
    const code = errorCode(error);
    if (error instanceof WalError || code === undefined || !/^E[A-Z]+$/.test(code)) return error;
    const what = code === "ENOSPC" || code === "EDQUOT" ? "is full" : "cannot be written";
    return storageTrouble(`${dirname(this.path)} ${what} (${code})`, error);
  }

  /** Removes an unfinished set. */
  async abandon(): Promise<void> {
    this.#part = undefined;
    await Promise.allSettled(this.#finished);
    await this.#syncs.finish().catch(() => undefined);
    await rm(this.path, { recursive: true, force: true });
  }
}

/** Large files go to the disk while the next ones arrive, instead of all at the end. */
class SyncQueue {
  readonly #waiting: number[] = [];
  #running = 0;
  #failure: Error | undefined;
  #onIdle: (() => void) | undefined;

  /** Takes a file over: it is closed afterwards. */
  add(descriptor: number): void {
    this.#waiting.push(descriptor);
    this.#next();
  }

  #next(): void {
    while (this.#running < 2) {
      const descriptor = this.#waiting.shift();
      if (descriptor === undefined) break;
      this.#running += 1;
      void this.#sync(descriptor);
    }
    if (this.#running === 0) this.#onIdle?.();
  }

  async #sync(descriptor: number): Promise<void> {
    await new Promise<void>((resolve) => {
      fdatasync(descriptor, (error) => {
        this.#failure ??= error ?? undefined;
        close(descriptor, () => resolve());
      });
    });
    this.#running -= 1;
    this.#next();
  }

  async finish(): Promise<void> {
    if (this.#running > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    if (this.#failure !== undefined) throw this.#failure;
  }
}

const largeFileBytes = 1 << 20;

/** Unpacks a tar archive into a directory. Links are left out: tablespaces are put in their place by restore. */
class PlainSink implements TarSink {
  readonly #root: string;
  readonly #syncs: SyncQueue;
  readonly #onFile: (path: string, size: number) => void;
  #descriptor: number | undefined;
  #entry: TarEntry | undefined;

  constructor(root: string, syncs: SyncQueue, onFile: (path: string, size: number) => void) {
    this.#root = root;
    this.#syncs = syncs;
    this.#onFile = onFile;
  }

  begin(entry: TarEntry): void {
    this.#entry = entry;
    const path = join(this.#root, entry.path);
    if (entry.kind === "directory") mkdirSync(path, { recursive: true, mode: entry.mode || 0o700 });
    if (entry.kind !== "file") return;
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    this.#descriptor = openSync(path, flags, entry.mode || 0o600);
  }

  data(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) at += writeSync(this.#descriptor!, chunk, at);
  }

  end(): void {
    const entry = this.#entry!;
    if (this.#descriptor === undefined) return;
    if (entry.sizeBytes >= largeFileBytes) this.#syncs.add(this.#descriptor);
    else closeSync(this.#descriptor);
    this.#descriptor = undefined;
    this.#onFile(entry.path, entry.sizeBytes);
  }
}

/** Brings the small files and the directories of a tree to the disk. */
export async function syncTree(root: string): Promise<void> {
  const entries = await readdir(root, { withFileTypes: true });
  const small: string[] = [];
  for (const entry of entries) {
    const path = join(root, entry.name);
    if (entry.isDirectory()) await syncTree(path);
    else if (entry.isFile() && (await stat(path)).size < largeFileBytes) small.push(path);
  }
  for (let first = 0; first < small.length; first += 16) {
    await Promise.all(small.slice(first, first + 16).map((path) => syncPath(path)));
  }
  await syncDirectory(root);
}

async function syncPath(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
