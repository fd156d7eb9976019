import { WalError } from "../wal/wal-error.ts";

/** An entry of a tar archive as PostgreSQL writes it. */
export interface TarEntry {
  readonly kind: "file" | "directory" | "link";
  /** relative, without `.` and `..` */
  readonly path: string;
  readonly sizeBytes: number;
  readonly mode: number;
  readonly modifiedSeconds: number;
  readonly linkTarget: string;
}

/** Takes the entries of an archive, in order: `begin`, `data` as often as needed, `end`. */
export interface TarSink {
  begin(entry: TarEntry): void;
  /** a part of what the reader was given: it may be kept when that may */
  data(chunk: Buffer): void;
  end(): void;
}

const blockBytes = 512;

/** Reads a tar archive that arrives in pieces. An archive with paths that lead out of its directory is refused.
 * Source: POSIX, "pax", ustar interchange format; PostgreSQL's port/tar.c */
export class TarReader {
  readonly #sink: TarSink;
  readonly #name: string;
  #header = Buffer.alloc(blockBytes);
  #headerBytes = 0;
  #isInEntry = false;
  #missing = 0;
  #padding = 0;
  #isEnded = false;

  constructor(name: string, sink: TarSink) {
    this.#name = name;
    this.#sink = sink;
  }

  write(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#isInEntry) at = this.#takeData(chunk, at);
      else if (this.#padding > 0) {
        const skipped = Math.min(this.#padding, chunk.length - at);
        this.#padding -= skipped;
        at += skipped;
      } else at = this.#takeHeader(chunk, at);
    }
  }

  /** @throws WalError when the archive is cut */
  finish(): void {
    if (this.#isInEntry || this.#headerBytes > 0) throw new WalError(`${this.#name} is cut`);
  }

  #takeData(chunk: Buffer, at: number): number {
    const taken = Math.min(this.#missing, chunk.length - at);
    if (taken > 0) this.#sink.data(chunk.subarray(at, at + taken));
    this.#missing -= taken;
    if (this.#missing === 0) this.#endEntry();
    return at + taken;
  }

  #endEntry(): void {
    this.#isInEntry = false;
    this.#sink.end();
  }

  #takeHeader(chunk: Buffer, at: number): number {
    const taken = Math.min(blockBytes - this.#headerBytes, chunk.length - at);
    chunk.copy(this.#header, this.#headerBytes, at, at + taken);
    this.#headerBytes += taken;
    if (this.#headerBytes === blockBytes) {
      this.#headerBytes = 0;
      this.#beginEntry();
    }
    return at + taken;
  }

  #beginEntry(): void {
    const header = this.#header;
    if (header.every((byte) => byte === 0)) {
      this.#isEnded = true;
      return;
    }
    if (this.#isEnded) throw new WalError(`${this.#name} goes on after its end`);
    checkSum(header, this.#name);
    const entry = readEntry(header, this.#name);
    this.#sink.begin(entry);
    this.#missing = entry.kind === "file" ? entry.sizeBytes : 0;
    this.#padding = (blockBytes - (this.#missing % blockBytes)) % blockBytes;
    this.#isInEntry = true;
    if (this.#missing === 0) this.#endEntry();
  }
}

function readEntry(header: Buffer, archive: string): TarEntry {
  const prefix = text(header, 345, 155);
  const name = text(header, 0, 100);
  return {
    kind: entryKind(header[156]!, archive),
    path: safePath(prefix === "" ? name : `${prefix}/${name}`, archive),
    sizeBytes: number(header, 124, 12, archive),
    mode: number(header, 100, 8, archive) & 0o777,
    modifiedSeconds: number(header, 136, 12, archive),
    linkTarget: text(header, 157, 100),
  };
}

function entryKind(type: number, archive: string): TarEntry["kind"] {
  if (type === 0x30 || type === 0) return "file";
  if (type === 0x35) return "directory";
  if (type === 0x32) return "link";
  throw new WalError(`${archive} has an entry of unknown type ${type}`);
}

/** An entry that another host sent, with a path that stays below the directory it is unpacked into. @throws WalError */
export function foreignEntry(value: unknown, sender: string): TarEntry {
  const entry: Partial<TarEntry> = typeof value === "object" && value !== null ? value : {};
  const { kind, path, sizeBytes, mode, modifiedSeconds = 0, linkTarget = "" } = entry;
  const isKnown = kind === "file" || kind === "directory" || kind === "link";
  const areNumbers = [sizeBytes, mode, modifiedSeconds].every(Number.isSafeInteger);
  if (!isKnown || typeof path !== "string" || typeof linkTarget !== "string" || !areNumbers)
    throw new WalError(`${sender} sent something that is no entry of a backup set`);
  return {
    kind,
    path: safePath(path, sender),
    sizeBytes: sizeBytes!,
    mode: mode! & 0o777,
    modifiedSeconds,
    linkTarget,
  };
}

/** A path that stays below the directory it is unpacked into. @throws WalError */
export function safePath(path: string, archive: string): string {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (path.startsWith("/") || parts.includes("..") || path.includes("\0")) {
    throw new WalError(`${archive} has a path that leads out of it: ${JSON.stringify(path)}`);
  }
  return parts.join("/");
}

function text(header: Buffer, at: number, length: number): string {
  const field = header.subarray(at, at + length);
  const end = field.indexOf(0);
  return field.toString("utf8", 0, end < 0 ? length : end);
}

/** Octal digits, or base 256 for what does not fit into them.
 * @throws WalError for what is no number, or more than a file can have */
function number(header: Buffer, at: number, length: number, archive: string): number {
  if (header[at] === 0x80) {
    const isSmall = header.subarray(at + 1, at + length - 6).every((byte) => byte === 0);
    if (isSmall) return header.readUIntBE(at + length - 6, 6);
  }
  const digits = text(header, at, length).trim();
  if (!/^[0-7]*$/.test(digits)) throw new WalError(`${archive} is damaged: a header has a wrong number`);
  return Number.parseInt(digits || "0", 8);
}

function checkSum(header: Buffer, archive: string): void {
  let sum = 8 * 0x20;
  for (let at = 0; at < blockBytes; at++) if (at < 148 || at >= 156) sum += header[at]!;
  if (sum !== number(header, 148, 8, archive))
    throw new WalError(`${archive} is damaged: a header's checksum is wrong`);
}
