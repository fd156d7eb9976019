import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { type Codec, codecSuffix, decompressor } from "../archive/codec.ts";
import { openRegular } from "../archive/durable-file.ts";
import { WalError } from "../wal/wal-error.ts";
import { type BackupManifest, parseManifest, type RunningChecksum, runningChecksum } from "./manifest.ts";
import { type BackupSet, infoFile } from "./set-info.ts";
import { type TarEntry, TarReader, type TarSink } from "./tar-reader.ts";

/** Makes the sink for one part of a set: the data directory itself, or a tablespace. */
export type PartSink = (oid: string | undefined) => TarSink;

const manifestFile = "backup_manifest";

/** The manifest of a set as it is stored. @throws WalError when it is missing */
export async function manifestBytes(set: BackupSet): Promise<Buffer> {
  try {
    return await readFile(join(set.path, manifestFile));
  } catch (cause) {
    throw new WalError(`backup set ${set.name} has no readable ${manifestFile}`, { cause });
  }
}

/** What a set gives, in order: parts, and in each its entries with their data. */
export type SetEvent =
  | { readonly kind: "part"; readonly oid: string | undefined }
  | { readonly kind: "entry"; readonly entry: TarEntry }
  /** only valid until the next event */
  | { readonly kind: "data"; readonly data: Buffer }
  | { readonly kind: "end" };

/** Reads a set, whether it is stored plain or compressed.
 * @throws WalError for a damaged archive, a link or a path that leads out of it */
export async function* setEvents(set: BackupSet): AsyncGenerator<SetEvent, void> {
  const parts: (string | undefined)[] = [undefined, ...set.info.tablespaces.map((each) => each.oid)];
  for (const oid of parts) {
    yield { kind: "part", oid };
    if (set.info.codec === "none") {
      const isRoot = oid === undefined;
      const root = isRoot ? set.path : join(set.path, "tmpspc", oid);
      yield* directoryEvents(root, "", isRoot ? ["tmpspc", infoFile, manifestFile] : []);
    } else yield* tarEvents(set, oid);
  }
}

/** Gives everything in a set to sinks, part by part. @throws WalError as {@link setEvents} */
export async function readSet(set: BackupSet, sinkOf: PartSink): Promise<void> {
  let sink: TarSink | undefined;
  for await (const event of setEvents(set)) {
    switch (event.kind) {
      case "part":
        sink = sinkOf(event.oid);
        break;
      case "entry":
        sink?.begin(event.entry);
        break;
      case "data":
        sink?.data(event.data);
        break;
      case "end":
        sink?.end();
    }
  }
}

async function* tarEvents(set: BackupSet, oid: string | undefined): AsyncGenerator<SetEvent, void> {
  const { codec } = set.info;
  const path = join(set.path, `${oid ?? "base"}.tar${codecSuffix(codec)}`);
  let events: SetEvent[] = [];
  const reader = new TarReader(path, {
    begin: (entry) => events.push({ kind: "entry", entry }),
    data: (data) => events.push({ kind: "data", data }),
    end: () => events.push({ kind: "end" }),
  });
  try {
    for await (const chunk of decompressed(path, codec)) {
      reader.write(chunk);
      yield* events;
      events = [];
    }
  } catch (cause) {
    if (cause instanceof WalError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new WalError(`${path} is damaged or unreadable (${reason})`, { cause });
  }
  reader.finish();
}

async function* decompressed(path: string, codec: Codec): AsyncGenerator<Buffer, void> {
  const handle = await openRegular(path);
  const plain = decompressor(codec);
  const copying = pipeline(handle.createReadStream({ highWaterMark: 1 << 20 }), plain);
  copying.catch(() => undefined);
  yield* plain as AsyncIterable<Buffer>;
  await copying;
}

const chunk = Buffer.allocUnsafe(1 << 20);

async function* directoryEvents(
  root: string,
  below: string,
  left: readonly string[],
): AsyncGenerator<SetEvent, void> {
  for (const name of readdirSync(join(root, below)).sort()) {
    if (left.includes(name)) continue;
    const path = below === "" ? name : `${below}/${name}`;
    const stat = lstatSync(join(root, path));
    const entry = { path, sizeBytes: stat.size, mode: stat.mode & 0o777, modifiedSeconds: 0, linkTarget: "" };
    if (stat.isDirectory()) {
      yield { kind: "entry", entry: { ...entry, kind: "directory" } };
      yield { kind: "end" };
      yield* directoryEvents(root, path, []);
    } else if (stat.isFile()) yield* fileEvents(join(root, path), { ...entry, kind: "file" });
    else
      throw new WalError(`${join(root, path)} is neither a file nor a directory: the set was tampered with`);
  }
}

function* fileEvents(path: string, entry: TarEntry): Generator<SetEvent, void> {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    yield { kind: "entry", entry: { ...entry, sizeBytes: fstatSync(descriptor).size } };
    for (;;) {
      const bytes = readSync(descriptor, chunk, 0, chunk.length, null);
      if (bytes === 0) break;
      yield { kind: "data", data: chunk.subarray(0, bytes) };
    }
    yield { kind: "end" };
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
    const check = new ManifestCheck(parseManifest(await manifestBytes(set), join(set.path, manifestFile)));
    await readSet(set, (oid) => check.sink(oid));
    return check.finish();
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}
