import { dirname, join } from "node:path";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import { crashPoint, createDirectorySync, openToWrite, removePath } from "@skytools/skytools";
import { type Codec, codecSuffix, compressor } from "../archive/codec.ts";
import { replaceFile, syncDirectory } from "../archive/durable-file.ts";
import { syncTree } from "../archive/sync-tree.ts";
import { formatLsn } from "../wal/lsn.ts";
import { errorCode, storageTrouble, WalError } from "../wal/wal-error.ts";
import { segmentAt } from "../wal/wal-name.ts";
import type { BackupPart, BackupRange } from "./base-backup.ts";
import { parseManifest } from "./manifest.ts";
import { PlainSink } from "./plain-sink.ts";
import { infoFile, isOid, type SetInfo } from "./set-info.ts";
import { TarReader } from "./tar-reader.ts";
import { WriteBehind } from "./write-behind.ts";

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
  readonly #files = new WriteBehind();
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
    await removePath(this.path, { recursive: true, force: true });
    try {
      createDirectorySync(this.path, { mode: 0o700 });
    } catch (error) {
      throw storageTrouble(`cannot create ${this.path} (${errorCode(error)})`, error);
    }
  }

  /** @throws WalError for a part that is none */
  beginPart({ oid, location }: BackupPart): void {
    if (oid !== undefined && !isOid(oid))
      throw new WalError(`${JSON.stringify(oid)} is not the number of a tablespace`);
    this.#endPart();
    crashPoint("backup.part");
    if (oid !== undefined) this.#tablespaces.push({ oid, location: location ?? "" });
    if (this.#codec !== "none") {
      this.#part = this.#compressedPart(oid ?? "base");
      return;
    }
    const below = oid === undefined ? "" : `tmpspc/${oid}`;
    if (below !== "") createDirectorySync(join(this.path, below), { recursive: true, mode: 0o700 });
    const sink = new PlainSink(join(this.path, below), this.#files, (file, size) =>
      this.#sizes.set(oid === undefined ? file : `pg_tblspc/${oid}/${file}`, size),
    );
    this.#drain = () => this.#files.room();
    const reader = new TarReader(`backup part ${oid ?? "base"}`, sink);
    this.#part = {
      write: (chunk) => {
        reader.write(chunk);
        return this.#files.hasRoom;
      },
      finish: () => reader.finish(),
    };
  }

  #compressedPart(name: string): { write(chunk: Buffer): boolean; finish(): Promise<void> } {
    const stream: Duplex = compressor(this.#codec);
    const path = join(this.path, `${name}.tar${codecSuffix(this.#codec)}`);
    const written = (async () => {
      const handle = await openToWrite(path, "wx", 0o600);
      try {
        await pipeline(stream, async (chunks: AsyncIterable<Buffer>) => {
          for await (const chunk of chunks) await handle.append(chunk);
        });
        await handle.sync();
      } finally {
        await handle.close();
      }
    })();
    let failure: Error | undefined;
    written.catch((error: unknown) => {
      failure = error instanceof Error ? error : new Error(String(error));
    });
    this.#drain = () => drained(stream);
    return {
      write: (chunk) => {
        if (failure !== undefined) throw failure;
        return stream.write(Buffer.from(chunk));
      },
      finish: () => {
        stream.end();
        return written;
      },
    };
  }

  #drain: () => Promise<unknown> = async () => {};

  /** @param chunk valid during the call only
   * @returns false when the caller should wait for `drained` */
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
      await this.#files.finish();
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
    await this.#files.finish().catch(() => undefined);
    await removePath(this.path, { recursive: true, force: true });
  }
}

/** Resolves when a stream takes more, or never will again. */
async function drained(stream: Duplex): Promise<void> {
  if (stream.destroyed || !stream.writableNeedDrain) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      stream.off("drain", done);
      stream.off("close", done);
      resolve();
    };
    stream.on("drain", done);
    stream.on("close", done);
  });
}
