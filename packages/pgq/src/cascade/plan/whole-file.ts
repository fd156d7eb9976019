import { createReadStream, existsSync } from "node:fs";
import { open } from "node:fs/promises";
import { dirname } from "node:path";
import { openToWrite, removePath, renameFile, SkytoolsError } from "@skytools/skytools";

/** Texts are written together once they have so many characters. */
const pieceLength = 1 << 16;

/** Takes text for a file, at the pace of the disk. */
export type WriteText = (text: string) => Promise<void>;

/** Writes a file that only its owner can read; whole or not at all. No text: no file. A file that is there already stays if it
 * holds the very same.
 * @returns false when there was no text
 * @throws SkytoolsError DUMP_FILE when another file is in the way */
export async function writeWholeFile(
  path: string,
  produce: (write: WriteText) => Promise<void>,
): Promise<boolean> {
  const part = `${path}.part`;
  // What a killed process left there, or a link that somebody put there, is not written to.
  await removePath(part, { force: true });
  const file = await openToWrite(part, "wx", 0o600);
  let isEmpty = true;
  let begun = "";
  const writeBegun = async () => {
    const text = begun;
    begun = "";
    if (text !== "") await file.append(text);
  };
  try {
    await produce(async (text) => {
      isEmpty = false;
      begun += text;
      if (begun.length >= pieceLength) await writeBegun();
    });
    await writeBegun();
    await file.sync();
  } finally {
    await file.close();
  }
  if (isEmpty) {
    await removePath(part);
    return false;
  }
  if (existsSync(path) && !(await haveSameContent(path, part))) {
    await removePath(part);
    throw fileInTheWay(`Dump file exists: ${path}`);
  }
  await renameFile(part, path);
  await syncDirectory(dirname(path));
  return true;
}

/** @param otherwise what else can be done about it */
export function fileInTheWay(message: string, otherwise = ""): SkytoolsError {
  return new SkytoolsError("DUMP_FILE", message, {
    hint: `It holds what was set aside another time: put it elsewhere${otherwise}.`,
  });
}

async function haveSameContent(one: string, two: string): Promise<boolean> {
  const others = lineReader(two)[Symbol.asyncIterator]();
  for await (const line of lineReader(one)) {
    const other = await others.next();
    if (other.done === true || other.value !== line) return false;
  }
  return (await others.next()).done === true;
}

/** The lines of a file, which end with a line feed and nothing else: what JSON leaves as it is, U+2028 for example, ends none.
 * @param onBytes sees the file as it is read
 * @throws TypeError when it is not UTF-8, or the system's error */
export async function* lineReader(
  path: string,
  onBytes?: (bytes: Buffer) => void,
): AsyncGenerator<string, void> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let begun: string[] = [];
  for await (const bytes of createReadStream(path) as AsyncIterable<Buffer>) {
    onBytes?.(bytes);
    const [first, ...others] = decoder.decode(bytes, { stream: true }).split("\n");
    begun.push(first!);
    for (const next of others) {
      yield begun.join("");
      begun = [next];
    }
  }
  const last = begun.join("") + decoder.decode();
  if (last !== "") yield last;
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
