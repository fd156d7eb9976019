import { closeSync, fsync, openSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const syncDescriptor = promisify(fsync);
const syncsAtOnce = 16;

/** Brings a directory, with everything in it, to the disk. */
export async function syncTree(root: string): Promise<void> {
  const files: string[] = [];
  const directories = [root];
  for (let next = 0; next < directories.length; next++) {
    const directory = directories[next]!;
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      if (entry.isDirectory()) directories.push(join(directory, entry.name));
      else if (entry.isFile()) files.push(join(directory, entry.name));
    }
  }
  await syncAll(files);
  await syncAll(directories);
}

/** Several at once: a journal takes them to the disk together. */
async function syncAll(paths: string[]): Promise<void> {
  const worker = async (): Promise<void> => {
    for (let path = paths.pop(); path !== undefined; path = paths.pop()) await syncPath(path);
  };
  await Promise.all(Array.from({ length: syncsAtOnce }, worker));
}

async function syncPath(path: string): Promise<void> {
  const descriptor = openSync(path, "r");
  try {
    await syncDescriptor(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
