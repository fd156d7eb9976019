import { constants, lstatSync } from "node:fs";
import { join } from "node:path";
import { crashPoint, createDirectorySync, type OpenFileSync, openToWriteSync } from "@skytools/skytools";
import type { TarEntry, TarSink } from "./tar-reader.ts";

/** Writes entries as files and directories below a root that holds nothing else. Links are left out. */
export function writeTree(root: string): TarSink {
  let file: OpenFileSync | undefined;
  return {
    begin: (entry: TarEntry) => {
      const path = join(root, entry.path);
      if (entry.kind === "directory") {
        if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() !== true)
          createDirectorySync(path, { mode: entry.mode || 0o700 });
      }
      if (entry.kind !== "file") return;
      crashPoint("restore.file");
      const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
      file = openToWriteSync(path, flags, entry.mode || 0o600);
    },
    data: (chunk) => file!.append(chunk),
    end: () => {
      file?.close();
      file = undefined;
    },
  };
}
