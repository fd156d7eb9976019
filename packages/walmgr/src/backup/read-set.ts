import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { codecSuffix, decompressor } from "../archive/codec.ts";
import { openRegular } from "../archive/durable-file.ts";
import { WalError } from "../wal/wal-error.ts";
import { type BackupManifest, parseManifest, type RunningChecksum, runningChecksum } from "./manifest.ts";
import { type BackupSet, infoFile } from "./set-info.ts";
import { type TarEntry, TarReader, type TarSink } from "./tar-reader.ts";

/** Makes the sink for one part of a set: the data directory itself, or a tablespace. */
export type PartSink = (oid: string | undefined) => TarSink;

const manifestFile = "backup_manifest";

/** The manifest of a set. @throws WalError when it is missing or damaged */
export async function readManifest(set: BackupSet): Promise<BackupManifest> {
  const path = join(set.path, manifestFile);
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw new WalError(`backup set ${set.name} has no readable ${manifestFile}`, { cause });
  }
  return parseManifest(bytes, path);
}

/** Gives everything in a set to sinks, part by part, whether it is stored plain or compressed.
 * @throws WalError for a damaged archive, a link or a path that leads out of it */
export async function readSet(set: BackupSet, sinkOf: PartSink): Promise<void> {
  const parts: (string | undefined)[] = [undefined, ...set.info.tablespaces.map((each) => each.oid)];
  for (const oid of parts) {
    if (set.info.codec === "none") {
      const isRoot = oid === undefined;
      const root = isRoot ? set.path : join(set.path, "tmpspc", oid);
      readDirectory(root, "", sinkOf(oid), isRoot ? ["tmpspc", infoFile, manifestFile] : []);
    } else await readTar(set, oid, sinkOf(oid));
  }
}

async function readTar(set: BackupSet, oid: string | undefined, sink: TarSink): Promise<void> {
  const { codec } = set.info;
  const path = join(set.path, `${oid ?? "base"}.tar${codecSuffix(codec)}`);
  const reader = new TarReader(path, sink);
  try {
    const handle = await openRegular(path);
    const source = handle.createReadStream({ highWaterMark: 1 << 20 });
    await pipeline(source, decompressor(codec), async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) reader.write(chunk);
    });
  } catch (cause) {
    if (cause instanceof WalError) throw cause;
    throw new WalError(
      `${path} is damaged or unreadable (${cause instanceof Error ? cause.message : String(cause)})`,
      {
        cause,
      },
    );
  }
  reader.finish();
}

const chunk = Buffer.allocUnsafe(1 << 20);

function readDirectory(root: string, below: string, sink: TarSink, left: readonly string[] = []): void {
  for (const name of readdirSync(join(root, below)).sort()) {
    if (left.includes(name)) continue;
    const path = below === "" ? name : `${below}/${name}`;
    const stat = lstatSync(join(root, path));
    const entry = { path, sizeBytes: stat.size, mode: stat.mode & 0o777, modifiedSeconds: 0, linkTarget: "" };
    if (stat.isDirectory()) {
      sink.begin({ ...entry, kind: "directory" });
      sink.end();
      readDirectory(root, path, sink);
    } else if (stat.isFile()) readOne(join(root, path), { ...entry, kind: "file" }, sink);
    else
      throw new WalError(`${join(root, path)} is neither a file nor a directory: the set was tampered with`);
  }
}

function readOne(path: string, entry: TarEntry, sink: TarSink): void {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    sink.begin({ ...entry, sizeBytes: fstatSync(descriptor).size });
    for (;;) {
      const bytes = readSync(descriptor, chunk, 0, chunk.length, null);
      if (bytes === 0) break;
      sink.data(chunk.subarray(0, bytes));
    }
    sink.end();
  } finally {
    closeSync(descriptor);
  }
}

/** Compares what a set gives with its manifest, while it passes on to another sink. */
export class ManifestCheck {
  readonly #manifest: BackupManifest;
  readonly #seen = new Set<string>();
  readonly problems: string[] = [];

  constructor(manifest: BackupManifest) {
    this.#manifest = manifest;
  }

  /** @param inner takes what passes; undefined: only look */
  sink(oid: string | undefined, inner?: TarSink): TarSink {
    let path = "";
    let bytes = 0;
    let checksum: RunningChecksum | undefined;
    return {
      begin: (entry) => {
        inner?.begin(entry);
        path = oid === undefined ? entry.path : `pg_tblspc/${oid}/${entry.path}`;
        bytes = 0;
        const listed = entry.kind === "file" ? this.#manifest.files.get(path)?.checksum : undefined;
        checksum = listed === undefined ? undefined : runningChecksum(listed.algorithm);
      },
      data: (piece) => {
        inner?.data(piece);
        bytes += piece.length;
        checksum?.update(piece);
      },
      end: () => {
        inner?.end();
        const listed = this.#manifest.files.get(path);
        if (listed === undefined) return;
        this.#seen.add(path);
        if (bytes !== listed.sizeBytes)
          this.problems.push(`${path} is ${bytes} bytes long instead of ${listed.sizeBytes}`);
        else if (checksum !== undefined && checksum.hex() !== listed.checksum?.hex) {
          this.problems.push(`${path} does not match its checksum`);
        }
      },
    };
  }

  /** Once everything has passed. */
  finish(): readonly string[] {
    for (const path of this.#manifest.files.keys()) {
      if (!this.#seen.has(path)) this.problems.push(`${path} is missing`);
    }
    return this.problems;
  }
}

/** Reads a whole set and compares it with its manifest.
 * @returns what is wrong with it */
export async function verifySet(set: BackupSet): Promise<readonly string[]> {
  try {
    const check = new ManifestCheck(await readManifest(set));
    await readSet(set, (oid) => check.sink(oid));
    return check.finish();
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}
