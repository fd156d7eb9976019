import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { openToWriteSync, writeNamedFileSync } from "@skytools/skytools";
import { WalError } from "../wal/wal-error.ts";

const magic = 0xd3ae1f0d;
const blockBytes = 8192;
const prefix = "INCREMENTAL.";
/** of a file of a relation: 64 GB, where servers are built with files that large; usual is 1 GB */
const mostBlocks = 1 << 23;

/** A file that holds some blocks of another one.
 * Source: PostgreSQL's backend/backup/basebackup_incremental.c, GetIncrementalHeaderSize */
interface IncrementalFile {
  readonly descriptor: number;
  /** block number to the place of its bytes */
  readonly blocks: ReadonlyMap<number, number>;
  /** blocks that the file had at least */
  readonly length: number;
}

export function isIncremental(path: string): boolean {
  return basename(path).startsWith(prefix);
}

/** The name of the file that an incremental one belongs to. */
export function plainName(path: string): string {
  return join(dirname(path), basename(path).slice(prefix.length));
}

/** Writes a whole file out of an incremental one and those before it.
 * @param directories of the same part of each set, newest first; the first one holds `INCREMENTAL.<name>`
 * @param path of the incremental file, relative to these
 * @throws WalError when an older set lacks the file */
export function rebuildFile(directories: readonly string[], path: string, destination: string): void {
  const incrementals: IncrementalFile[] = [];
  let full: number | undefined;
  try {
    for (const directory of directories) {
      if (existsSync(join(directory, path))) incrementals.push(openIncremental(join(directory, path)));
      else {
        const plain = join(directory, plainName(path));
        if (!existsSync(plain)) throw new WalError(`${plain} is missing: ${path} cannot be put together`);
        full = openSync(plain, "r");
        break;
      }
    }
    if (full === undefined) throw new WalError(`no set has all of ${plainName(path)}`);
    copyBlocks(incrementals, full, destination);
  } finally {
    for (const { descriptor } of incrementals) closeSync(descriptor);
    if (full !== undefined) closeSync(full);
  }
}

function copyBlocks(incrementals: readonly IncrementalFile[], full: number, destination: string): void {
  const newest = incrementals[0]!;
  const length = [...newest.blocks.keys()].reduce(
    (most, number) => Math.max(most, number + 1),
    newest.length,
  );
  const fullBlocks = Math.floor(fstatSync(full).size / blockBytes);
  const output = openToWriteSync(destination, "wx", 0o600);
  const block = Buffer.alloc(blockBytes);
  try {
    for (let number = 0; number < length; number++) {
      const source = incrementals.find((each) => each.blocks.has(number));
      if (source !== undefined) readBlock(source.descriptor, block, source.blocks.get(number)!);
      else if (number < fullBlocks) readBlock(full, block, number * blockBytes);
      else block.fill(0);
      output.append(block);
    }
  } finally {
    output.close();
  }
}

function readBlock(descriptor: number, block: Buffer, at: number): void {
  if (readSync(descriptor, block, 0, blockBytes, at) !== blockBytes)
    throw new WalError("a backup's file is cut");
}

function openIncremental(path: string): IncrementalFile {
  const descriptor = openSync(path, "r");
  try {
    return { descriptor, ...readIncremental(descriptor, path) };
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** @throws WalError for a file that is no incremental one, or of another length than it says */
function readIncremental(descriptor: number, path: string): Omit<IncrementalFile, "descriptor"> {
  const head = Buffer.alloc(12);
  readSync(descriptor, head, 0, 12, 0);
  if (head.readUInt32LE(0) !== magic) throw new WalError(`${path} is not an incremental file`);
  const count = head.readUInt32LE(4);
  const length = head.readUInt32LE(8);
  const headerBytes = 12 + count * 4;
  // With blocks the header is filled up to a whole block.
  const begin = count === 0 ? headerBytes : Math.ceil(headerBytes / blockBytes) * blockBytes;
  if (length > mostBlocks || fstatSync(descriptor).size !== begin + count * blockBytes)
    throw new WalError(`${path} is damaged: it has another length than it says`);
  const numbers = Buffer.alloc(count * 4);
  if (readSync(descriptor, numbers, 0, numbers.length, 12) !== numbers.length)
    throw new WalError(`${path} is damaged: it is cut`);
  const blocks = new Map<number, number>();
  for (let index = 0; index < count; index++) {
    const number = numbers.readUInt32LE(index * 4);
    if (number >= mostBlocks) throw new WalError(`${path} is damaged: it has a block ${number}`);
    blocks.set(number, begin + index * blockBytes);
  }
  return { blocks, length };
}

/** A restored label must not say that it belongs to an incremental backup. */
export function settleLabel(dataDirectory: string): void {
  const path = join(dataDirectory, "backup_label");
  // As bytes: the server's label need not be UTF-8.
  const text = readFileSync(path, "latin1").replace(/^INCREMENTAL FROM .*\n/gm, "");
  writeNamedFileSync(path, Buffer.from(text, "latin1"));
}
