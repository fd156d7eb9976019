import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { makeDirectory } from "../archive/durable-file.ts";
import type { Settings } from "../place/settings.ts";
import { errorCode, storageTrouble } from "../wal/wal-error.ts";

/** The directories of the archive that are not there yet. */
export function missingDirectories(settings: Settings): string[] {
  const { completed, partial, fullBackup, configBackup } = settings.paths;
  const all = [completed, partial, dirname(fullBackup), ...(configBackup === "" ? [] : [configBackup])];
  return all.filter((path) => !existsSync(path));
}

/** @throws WalError naming the directory that cannot be made */
export async function createDirectories(settings: Settings): Promise<void> {
  for (const path of missingDirectories(settings)) {
    try {
      await makeDirectory(path);
    } catch (error) {
      throw storageTrouble(`cannot create ${path} (${errorCode(error)})`, error);
    }
  }
}
