import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { openToWrite, removePath } from "@skytools/skytools";
import { errorCode } from "../wal/wal-error.ts";

/** A stored file and the SHA-256 of its bytes, in hexadecimal. */
export interface Checksum {
  readonly storedName: string;
  readonly sha256: string;
}

/** The checksums of an archive's files: one text file for each 4 GB of WAL of a timeline, in the form that
 * `sha256sum --check` reads. Lines are only added; the last one of a name counts. */
export class ChecksumList {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Adds lines and makes them durable. */
  async add(checksums: readonly Checksum[]): Promise<void> {
    for (const [file, lines] of grouped(checksums)) {
      await this.#append(file, lines.map((each) => `${each.sha256}  ${each.storedName}\n`).join(""));
    }
  }

  async #append(file: string, text: string): Promise<void> {
    const handle = await openToWrite(join(this.#directory, file), "a+", 0o600);
    try {
      const { size } = await handle.stat();
      const last = Buffer.alloc(1);
      if (size > 0) await handle.read(last, size - 1);
      // A line that a crash has cut short must not swallow the next one.
      await handle.append(size > 0 && last[0] !== 0x0a ? `\n${text}` : text);
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  /** @returns undefined when none was stored, which a crash between publishing and this can cause */
  async find(storedName: string): Promise<string | undefined> {
    return (await this.#read(checksumFile(storedName))).get(storedName);
  }

  async #read(file: string): Promise<Map<string, string>> {
    let text: string;
    try {
      text = await readFile(join(this.#directory, file), "utf8");
    } catch (error) {
      if (errorCode(error) === "ENOENT") return new Map();
      throw error;
    }
    const lines = [...text.matchAll(/^([0-9a-f]{64}) {2}(\S+)$/gm)];
    return new Map(lines.map((line) => [line[2]!, line[1]!]));
  }

  /** Removes the files none of whose names is kept. */
  async forget(keptNames: Iterable<string>, allFiles: readonly string[]): Promise<void> {
    const needed = new Set([...keptNames].map(checksumFile));
    for (const file of allFiles) {
      if (isChecksumFile(file) && !needed.has(file))
        await removePath(join(this.#directory, file), { force: true });
    }
  }
}

function isChecksumFile(name: string): boolean {
  return name.endsWith(".sha256");
}

/** Segments share a file by timeline and log number; histories have one of their own. */
function checksumFile(storedName: string): string {
  return /^[0-9A-F]{24}/.test(storedName) ? `${storedName.slice(0, 16)}.sha256` : "history.sha256";
}

function grouped(checksums: readonly Checksum[]): Map<string, Checksum[]> {
  const groups = new Map<string, Checksum[]>();
  for (const each of checksums) {
    const file = checksumFile(each.storedName);
    groups.set(file, [...(groups.get(file) ?? []), each]);
  }
  return groups;
}
